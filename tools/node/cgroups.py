"""The control groups of the node's pods, in every hierarchy of version 1."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from node.needs import CGROUPS
from node.places import FIRST, SECOND, Spot

# By default all pods together would share what one process of the machine has.
_CPU_SHARES = 8192
# containerd makes the last one besides.
_NAMES = (FIRST.cgroup, SECOND.cgroup, "k8s.io")
_REMOVED_WITHIN_SECONDS = 10.0


def make(spot: Spot) -> None:
    """Make the groups that a kubelet expects."""
    for hierarchy in _hierarchies():
        group = hierarchy / spot.cgroup
        group.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            if (hierarchy / name).is_file():
                (group / name).write_text((hierarchy / name).read_text())
        if (group / "cpu.shares").is_file():
            (group / "cpu.shares").write_text(f"{_CPU_SHARES}\n")


def remove() -> None:
    """Remove them with all that are in them; their processes have ended."""
    for hierarchy in _hierarchies():
        for name in _NAMES:
            _remove(hierarchy / name)


def _hierarchies() -> list[Path]:
    found = {each.resolve() for each in CGROUPS.iterdir() if (each / "cgroup.procs").is_file()}
    return sorted(found)


def _remove(group: Path) -> None:
    if not group.is_dir():
        return
    folders = [*(each for each in group.rglob("*") if each.is_dir()), group]
    patience = time.monotonic() + _REMOVED_WITHIN_SECONDS
    for folder in sorted(folders, key=lambda each: len(each.parts), reverse=True):
        while folder.is_dir():
            with suppress(OSError):  # the kernel still counts a process that has just ended
                folder.rmdir()
                break
            if time.monotonic() > patience:
                return
            time.sleep(0.1)
