"""Stands in for whoever fills a volume from the bundle before an air-gapped stack is deployed.

A claim that a Deployment mounts and that nobody has made appears, with nothing in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rig.api import Api
from rig.standins.volumes import PROVISIONER


def reconcile(api: Api) -> Iterator[str]:
    """Make the claims that Deployments mount and that are not there.

    Yields:
        What was done.
    """
    for deployment in api.items("/apis/apps/v1/deployments"):
        metadata = deployment["metadata"]
        if metadata.get("deletionTimestamp"):
            continue
        for name in _claims(deployment["spec"]["template"]["spec"]):
            path = f"/api/v1/namespaces/{metadata['namespace']}/persistentvolumeclaims/{name}"
            if api.find(path) is None:
                api.apply(_claim(api, metadata["namespace"], name))
                yield f"made {metadata['namespace']}/{name}"


def _claims(pod: dict[str, Any]) -> Iterator[str]:
    for volume in pod.get("volumes", ()):
        if claim := volume.get("persistentVolumeClaim"):
            yield claim["claimName"]


def _claim(api: Api, namespace: str, name: str) -> dict[str, Any]:
    storage_class = next(
        each["metadata"]["name"]
        for each in api.items("/apis/storage.k8s.io/v1/storageclasses")
        if each["provisioner"] == PROVISIONER
    )
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
