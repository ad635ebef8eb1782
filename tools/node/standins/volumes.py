"""A storage provisioner: each claim gets a folder of the node, with a size that is not enforced.

Volumes of another class are that small that no model fits.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from node.places import NAME
from rig.api import Api
from rig.standins.volumes import provision

PROVISIONER = "node.breakeven/local"
SMALL = "node.breakeven/small"
"""Its volumes are full after a few files: what a user sees then can be tried."""

_SMALL_BYTES = 64 * 1024


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

    def small(name: str) -> Mapping[str, Any]:
        source = local(name)
        if not os.path.ismount(folder / name):
            _mount(folder / name)
        return source

    def delete_small(name: str) -> None:
        command = ["umount", str(folder / name)]
        subprocess.run(command, check=False, capture_output=True)
        delete(name)

    yield from provision(api, PROVISIONER, local, delete)
    yield from provision(api, SMALL, small, delete_small)


def _mount(folder: Path) -> None:
    options = f"size={_SMALL_BYTES},mode=755"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    subprocess.run(command, check=True)
