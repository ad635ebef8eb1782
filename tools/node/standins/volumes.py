"""A storage provisioner: each claim gets a folder of the node, with a size that is not enforced."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from node.places import NAME
from rig.api import Api
from rig.standins.volumes import provision

PROVISIONER = "node.breakeven/local"


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

    def local(name: str) -> Mapping[str, Any]:
        path = folder / name
        path.mkdir(parents=True, exist_ok=True)
        this_node = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}
        return {
            "local": {"path": str(path)},
            "nodeAffinity": {
                "required": {"nodeSelectorTerms": [{"matchExpressions": [this_node]}]}
            },
        }

    def delete(name: str) -> None:
        shutil.rmtree(folder / name, ignore_errors=True)

    yield from provision(api, PROVISIONER, local, delete)
