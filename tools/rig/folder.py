"""Where a rig keeps what it needs while it runs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folder:
    """The files of one rig."""

    root: Path

    @property
    def logs(self) -> Path:
        """One log for each part."""
        return self.root / "logs"

    @property
    def certificates(self) -> Path:
        """Keys and certificates, made at each start."""
        return self.root / "certificates"

    @property
    def kubeconfig(self) -> Path:
        """How clients find the cluster."""
        return self.root / "kubeconfig"

    @property
    def processes(self) -> Path:
        """Which processes run, so that exactly these are ended."""
        return self.root / "processes.json"

    @property
    def targets(self) -> Path:
        """Files with addresses that Prometheus scrapes; read again whenever they change."""
        return self.root / "targets"

    @property
    def sold_out(self) -> Path:
        """What the simulated cloud has none left of: INSTANCE_TYPE/CAPACITY_TYPE, one a line."""
        return self.root / "sold-out"

    def part(self, name: str) -> Path:
        """The folder of a part's own data."""
        return self.root / "data" / name

    def log(self, name: str) -> Path:
        """The log of a part."""
        return self.logs / f"{name}.log"

    def renew(self) -> None:
        """Make it empty: a cluster begins empty at each start."""
        shutil.rmtree(self.root, ignore_errors=True)
        for folder in (self.root, self.logs, self.targets, self.root / "data"):
            folder.mkdir(parents=True, mode=0o700)
