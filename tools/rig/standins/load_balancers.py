"""Stands in for a cloud's load balancer controller: each Service of that type gets an address."""

from __future__ import annotations

from collections.abc import Iterator

from rig.api import Api

# An address of a network for documentation (RFC 5737): nothing answers there.
ADDRESS = "192.0.2.10"


def reconcile(api: Api) -> Iterator[str]:
    """Give an address to the Services that wait for one.

    Yields:
        What was done.
    """
    for service in api.items("/api/v1/services"):
        waits = not service["status"].get("loadBalancer", {}).get("ingress")
        if service["spec"].get("type") == "LoadBalancer" and waits:
            metadata = service["metadata"]
            path = f"/api/v1/namespaces/{metadata['namespace']}/services/{metadata['name']}/status"
            api.merge(path, {"status": {"loadBalancer": {"ingress": [{"ip": ADDRESS}]}}})
            yield f"gave an address to {metadata['namespace']}/{metadata['name']}"
