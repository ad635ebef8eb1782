"""Stands in for a storage provisioner: each claim gets a volume of its size, bound at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rig.api import Api

PROVISIONER = "rig.breakeven/volumes"


def reconcile(api: Api) -> Iterator[str]:
    """Make the volumes that claims wait for, and delete those that were released.

    Yields:
        What was done.
    """
    classes = {
        each["metadata"]["name"]
        for each in api.items("/apis/storage.k8s.io/v1/storageclasses")
        if each["provisioner"] == PROVISIONER
    }
    for claim in api.items("/api/v1/persistentvolumeclaims"):
        waits = not claim["spec"].get("volumeName") and claim["status"].get("phase") == "Pending"
        if waits and claim["spec"].get("storageClassName") in classes:
            api.apply(_volume(claim))
            yield f"made a volume for {claim['metadata']['namespace']}/{claim['metadata']['name']}"
    for volume in api.items("/api/v1/persistentvolumes"):
        released = volume["status"].get("phase") in ("Released", "Failed")
        if released and volume["spec"].get("storageClassName") in classes:
            api.delete(f"/api/v1/persistentvolumes/{volume['metadata']['name']}")
            yield f"deleted {volume['metadata']['name']}"


def _volume(claim: dict[str, Any]) -> dict[str, Any]:
    metadata, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{metadata['uid']}"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER},
        },
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "storageClassName": spec["storageClassName"],
            "persistentVolumeReclaimPolicy": "Delete",
            "nfs": {"server": "127.0.0.1", "path": f"/{name}"},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
        },
    }
