"""Addresses, names and folders of the node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bootstrap.layout import Layout

LINK = "breakeven0"
"""The interface by which this machine reaches the nodes."""
MACHINE_ADDRESS = "10.77.0.1"
NETWORK = "10.77.0.0/24"
POD_NETWORK = "10.244.0.0/16"
"""The pods of all nodes."""
DNS = "10.96.0.10"
OUTSIDE = "198.51.100.10"
"""The world outside, as pods see it: of TEST-NET-2, which no network rule excepts (RFC 5737)."""

CPUS = "16"
MEMORY = "96Gi"
GPUS = 4


@dataclass(frozen=True)
class Spot:
    """One of the nodes: its name and addresses follow from its number."""

    number: int

    @property
    def ending(self) -> str:
        """What the names of its files and parts end with; the first node's with nothing."""
        return f"-{self.number}" if self.number else ""

    @property
    def name(self) -> str:
        """The node's name in the cluster."""
        return f"node-{self.number}"

    @property
    def zone(self) -> str:
        """Its zone: each node has one."""
        return f"zone-{'ab'[self.number]}"

    @property
    def address(self) -> str:
        """Its own address."""
        return f"10.77.0.{10 + self.number}"

    @property
    def pod_network(self) -> str:
        """The addresses of its pods."""
        return f"10.244.{self.number}.0/24"

    @property
    def cgroup(self) -> str:
        """The control group of its pods."""
        return f"breakeven-node{self.ending}"


FIRST, SECOND = Spot(0), Spot(1)
NAME = FIRST.name
ADDRESS = FIRST.address
"""The first node's own address; the API server listens there, too."""


def holder_file(root: Path, spot: Spot) -> Path:
    """Names the process that holds a further node's namespaces, as the first node counts."""
    return root / f"holder{spot.ending}.pid"


def entrance(root: Path, spot: Spot) -> tuple[str, ...]:
    """What stands before a command that runs on a node, where the caller is on the first one."""
    if spot == FIRST:
        return ()
    pid = holder_file(root, spot).read_text(encoding="utf-8")
    return ("nsenter", f"--target={pid}", "--mount", "--net", "--pid", "--")


@dataclass(frozen=True)
class Kept:
    """What a node's containerd keeps from one start to the next.

    Attributes:
        folder: Where.
        ending: Of names; each node has files of its own.
    """

    folder: Path
    ending: str = ""

    @property
    def images(self) -> Path:
        """The folder of containerd."""
        return self.folder / f"containerd{self.ending}"

    @property
    def imported(self) -> Path:
        """Which images it has, by recipe."""
        return self.folder / f"images{self.ending}.json"

    @property
    def making(self) -> Path:
        """What is only needed while an image is made."""
        return self.folder / f"making{self.ending}"


@dataclass(frozen=True)
class Places:
    """Where a node keeps its files.

    Attributes:
        root: What is thrown away with the node.
        store: What the next start finds again: images, and who signs for the world outside.
    """

    root: Path
    store: Path

    @classmethod
    def of(cls, layout: Layout, root: Path | None = None) -> Places:
        """The places of a checkout; every checkout of a machine shares the store."""
        return cls((root or layout.state / "node").absolute(), layout.cache / "node")

    def kept(self, spot: Spot = FIRST) -> Kept:
        """What a node's containerd keeps."""
        return Kept(self.store, spot.ending)

    @property
    def authority(self) -> Path:
        """Certificates of the world outside, which images trust."""
        return self.store / "outside"

    @property
    def volumes(self) -> Path:
        """The folders behind persistent volumes."""
        return self.root / "volumes"

    @property
    def holder(self) -> Path:
        """Who holds the namespaces; a machine has one node, whichever checkout started it."""
        return self.store / "holder.json"
