"""What the machine must have, looked for before anything is started."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bootstrap.console import SetupError
from node.places import LINK, NETWORK

PACKAGES = {
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "nft": "nftables",
    "iptables": "iptables",
    "ipset": "ipset",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "unshare": "util-linux",
    "mmdebstrap": "mmdebstrap",
}
"""Programs, and the packages of Debian that have them."""

CGROUPS = Path("/sys/fs/cgroup")
NEEDED_GIB = 3
"""Free space for images and for what a node writes."""
_GIB = 2**30


def check(store: Path) -> None:
    """Look at the machine.

    Args:
        store: The folder for images; free space is needed where it has none yet.

    Raises:
        SetupError: Something is missing; the message names the command that gets it.
    """
    if platform.system() != "Linux" or os.geteuid() != 0:
        raise SetupError(
            what="the node needs root on Linux: it makes namespaces, mounts and networks",
            found=f"user {os.geteuid()} on {platform.system()}",
            fix=["sudo make node", "the cluster without containers needs neither: make rig"],
        )
    if missing := sorted(set(_missing_packages())):
        raise SetupError(
            what="programs of the node are missing",
            found=f"not there: {', '.join(missing)}",
            fix=[f"apt-get install --no-install-recommends {' '.join(missing)}"],
        )
    if not (CGROUPS / "memory").is_dir():
        raise SetupError(
            what="the node needs control groups of version 1, and was not tried with others",
            found=f"no folder {CGROUPS / 'memory'}",
            fix=["start the machine with systemd.unified_cgroup_hierarchy=0"],
        )
    _check_network()
    _check_disk(store)


def _missing_packages() -> Iterator[str]:
    for program, package in PACKAGES.items():
        if shutil.which(program) is None:
            yield package


def _check_network() -> None:
    command = ["ip", "route", "show", "root", NETWORK]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if others := [line for line in answer.stdout.splitlines() if LINK not in line]:
        raise SetupError(
            what=f"the node needs the network {NETWORK} for itself",
            found=others[0],
            fix=["end what uses it"],
        )


def _check_disk(store: Path) -> None:
    if store.is_dir():
        return
    folder = store
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / _GIB
    if free < NEEDED_GIB:
        raise SetupError(
            what=f"{store} has too little room for images",
            found=f"{free:.1f} GiB free",
            allowed=f"{NEEDED_GIB} GiB",
            fix=["make room, or name another place: export BREAKEVEN_CACHE=/path/to/folder"],
        )
