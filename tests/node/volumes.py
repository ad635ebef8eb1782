"""A volume that someone else has filled with weights."""

from __future__ import annotations

import shutil
from pathlib import Path

from node.places import NAME
from node.starting import Started
from tests.cluster.deploying import NAMESPACE


def fill_claim(node: Started, claim: str, revision: str) -> Path:
    """Registers a folder with weights as docs/air-gap.md registers an export of a file server.

    Args:
        node: The node.
        claim: Name of the claim and of its volume.
        revision: Commit of the weights.

    Returns:
        The folder with the files of that commit.
    """
    folder = node.places.root / claim
    shutil.copytree(node.places.root / "hub", folder / revision)
    _register(node, claim, folder)
    return folder / revision


def volume_of(claim: str) -> str:
    """The path of the volume behind the claim."""
    return f"/api/v1/persistentvolumes/{claim}"


def _register(node: Started, claim: str, folder: Path) -> None:
    this_node = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}
    shared = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
    node.api.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": claim},
            "spec": {
                **shared,
                "capacity": {"storage": "1Gi"},
                "persistentVolumeReclaimPolicy": "Retain",
                "local": {"path": str(folder)},
                "nodeAffinity": {
                    "required": {"nodeSelectorTerms": [{"matchExpressions": [this_node]}]}
                },
            },
        }
    )
    node.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    node.api.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": claim, "namespace": NAMESPACE},
            "spec": {
                **shared,
                "volumeName": claim,
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }
    )
