"""Stands in for a storage provisioner: each claim gets a volume of its size, bound at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from rig.api import Api

PROVISIONER = "rig.breakeven/volumes"

Source: TypeAlias = Callable[[str], Mapping[str, Any]]
"""Returns for a volume's name where its bytes are, as fields of the volume's specification."""


def reconcile(api: Api) -> Iterator[str]:
    """Make the volumes that claims wait for, and delete those that were released.

    Yields:
        What was done.
    """
    yield from provision(api, PROVISIONER, _nfs, _keep)


def provision(
    api: Api, provisioner: str, source: Source, delete: Callable[[str], None]
) -> Iterator[str]:
    """Make the volumes that claims of a provisioner's classes wait for, and delete released ones.

    Args:
        api: The cluster.
        provisioner: Name by which storage classes ask for it.
        source: Makes room for a volume before the volume is made.
        delete: Takes the name of a volume that was deleted.

    Yields:
        What was done.
    """
    classes = {
        each["metadata"]["name"]
        for each in api.items("/apis/storage.k8s.io/v1/storageclasses")
        if each["provisioner"] == provisioner
    }
    for claim in api.items("/api/v1/persistentvolumeclaims"):
        waits = not claim["spec"].get("volumeName") and claim["status"].get("phase") == "Pending"
        if waits and claim["spec"].get("storageClassName") in classes:
            api.apply(_volume(claim, provisioner, source))
            yield f"made a volume for {claim['metadata']['namespace']}/{claim['metadata']['name']}"
    for volume in api.items("/api/v1/persistentvolumes"):
        released = volume["status"].get("phase") in ("Released", "Failed")
        if released and volume["spec"].get("storageClassName") in classes:
            name = volume["metadata"]["name"]
            api.delete(f"/api/v1/persistentvolumes/{name}")
            delete(name)
            yield f"deleted {name}"


def _nfs(name: str) -> Mapping[str, Any]:
    return {"nfs": {"server": "127.0.0.1", "path": f"/{name}"}}


def _keep(_name: str) -> None:
    """A volume of the rig has no bytes."""


def _volume(claim: dict[str, Any], provisioner: str, source: Source) -> dict[str, Any]:
    metadata, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{metadata['uid']}"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {"pv.kubernetes.io/provisioned-by": provisioner},
        },
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "storageClassName": spec["storageClassName"],
            "persistentVolumeReclaimPolicy": "Delete",
            **source(name),
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
        },
    }
