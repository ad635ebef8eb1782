"""A storage provisioner: each claim gets a folder of the node, with a size that is not enforced."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from node.places import NAME
from rig.api import Api

PROVISIONER = "node.breakeven/local"
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


def reconcile(api: Api, folder: Path) -> Iterator[str]:
    """Make the volumes that claims wait for, and delete those that were released.

    They are `local` volumes, not folders of the host: the kubelet gives them the group that the pod
    asks for, as it does with a disk.

    Args:
        api: The cluster.
        folder: Where the folders are made.

    Yields:
        What was done.
    """
    classes = {
        each["metadata"]["name"]
        for each in api.items(_CLASSES)
        if each["provisioner"] == PROVISIONER
    }
    for claim in api.items("/api/v1/persistentvolumeclaims"):
        waits = not claim["spec"].get("volumeName") and claim["status"].get("phase") == "Pending"
        if waits and claim["spec"].get("storageClassName") in classes:
            volume = _volume(claim, folder)
            Path(volume["spec"]["local"]["path"]).mkdir(parents=True, exist_ok=True)
            api.apply(volume)
            yield f"made a volume for {claim['metadata']['namespace']}/{claim['metadata']['name']}"
    for volume in api.items("/api/v1/persistentvolumes"):
        released = volume["status"].get("phase") in ("Released", "Failed")
        if released and volume["spec"].get("storageClassName") in classes:
            name = volume["metadata"]["name"]
            api.delete(f"/api/v1/persistentvolumes/{name}")
            shutil.rmtree(folder / name, ignore_errors=True)
            yield f"deleted {name}"


def _volume(claim: dict[str, Any], folder: Path) -> dict[str, Any]:
    metadata, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{metadata['uid']}"
    this_node = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}
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
            "local": {"path": str(folder / name)},
            "nodeAffinity": {
                "required": {"nodeSelectorTerms": [{"matchExpressions": [this_node]}]}
            },
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
        },
    }
