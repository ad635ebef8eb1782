"""Addresses, names and folders of the node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bootstrap.layout import Layout

NAME = "node-0"
LINK = "breakeven0"
"""The interface by which this machine reaches the node."""
MACHINE_ADDRESS = "10.77.0.1"
ADDRESS = "10.77.0.10"
"""The node's own address; the API server listens there, too."""
NETWORK = "10.77.0.0/24"
POD_NETWORK = "10.244.0.0/24"
DNS = "10.96.0.10"
OUTSIDE = "198.51.100.10"
"""The world outside, as pods see it: of TEST-NET-2, which no network rule excepts (RFC 5737)."""
CGROUP = "breakeven-node"

CPUS = "16"
MEMORY = "96Gi"
GPUS = 4


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

    @property
    def images(self) -> Path:
        """The folder in which containerd keeps images."""
        return self.store / "containerd"

    @property
    def imported(self) -> Path:
        """Which images containerd has, by recipe."""
        return self.store / "images.json"

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
