"""Everything that is in a cluster, to see what a deployment leaves behind."""

from __future__ import annotations

import time
from collections.abc import Iterator

from rig.api import Api, ApiError

# They come and go by themselves, or stay as a record: of no stack.
_TRANSIENT = {"events", "leases", "endpoints", "endpointslices", "componentstatuses", "pods"}
# Controllers put these into every namespace, sometimes only after a test has begun.
_IN_EVERY_NAMESPACE = {("configmaps", "kube-root-ca.crt"), ("serviceaccounts", "default")}


def inventory(api: Api) -> set[str]:
    """Returns every object as RESOURCE/NAMESPACE/NAME, but for those that come and go."""
    return set(objects(api))


def objects(api: Api) -> dict[str, str]:
    """Returns the same objects with their paths in the API."""
    found = {}
    for version, resource in _collections(api):
        for item in api.items(f"{version}/{resource}"):
            namespace, name = item["metadata"].get("namespace", ""), item["metadata"]["name"]
            if (resource, name) not in _IN_EVERY_NAMESPACE:
                where = f"{version}/namespaces/{namespace}" if namespace else version
                found[f"{resource}/{namespace}/{name}"] = f"{where}/{resource}/{name}"
    return found


def leftovers(api: Api, before: set[str], *, seconds: float = 60) -> set[str]:
    """Returns what was not there before, once nothing more goes away or the time is over."""
    patience = time.monotonic() + seconds
    while (found := inventory(api) - before) and time.monotonic() < patience:
        time.sleep(1)
    return found


def _collections(api: Api) -> Iterator[tuple[str, str]]:
    """Yields the path of each version and what it has lists of."""
    versions = ["/api/v1"]
    versions += [
        f"/apis/{group['preferredVersion']['groupVersion']}" for group in api.get("/apis")["groups"]
    ]
    for version in versions:
        try:
            resources = api.get(version)["resources"]
        except ApiError:  # an aggregated API whose server is away
            continue
        for resource in resources:
            name = resource["name"]
            if "list" in resource["verbs"] and "/" not in name and name not in _TRANSIENT:
                if version.endswith("external.metrics.k8s.io/v1beta1"):
                    continue  # numbers, not objects
                yield version, name
