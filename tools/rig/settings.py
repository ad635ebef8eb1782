"""What a rig can be told, and the addresses that it chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rig.folder import Folder
from rig.ports import LOOPBACK, Ports


@dataclass(frozen=True)
class Tuning:
    """Clocks of a rig; the defaults are those of the programs themselves, but for scraping.

    Attributes:
        scrape_seconds: How often Prometheus reads its targets.
        scaling_seconds: How often the controller of HorizontalPodAutoscalers looks.
        node_grace_seconds: Silence after which a node counts as lost.
        node_registration: From the launch of a machine until its node appears, such as 90s.
        batch_idle: Quiet that Karpenter waits for before it decides, such as 1s.
        batch_longest: Longest wait for that quiet.
    """

    scrape_seconds: int = 5
    scaling_seconds: int = 15
    node_grace_seconds: int = 40
    node_registration: str = "0s"
    batch_idle: str = "1s"
    batch_longest: str = "10s"


@dataclass(frozen=True)
class Plan:
    """What the parts are started with.

    Attributes:
        folder: Where the rig keeps its files.
        programs: Programs by name.
        tuning: Clocks.
        ports: Chosen ports by use.
        host: The address at which the API server is called.
    """

    folder: Folder
    programs: Mapping[str, Path]
    tuning: Tuning = field(default_factory=Tuning)
    ports: Mapping[str, int] = field(default_factory=dict)
    host: str = LOOPBACK

    @classmethod
    def choose(
        cls, folder: Folder, programs: Mapping[str, Path], tuning: Tuning, host: str = LOOPBACK
    ) -> Plan:
        """Choose a free port for each use."""
        ports = Ports()
        return cls(folder, programs, tuning, {use: ports.free() for use in PORT_USES}, host)

    def address(self, use: str, scheme: str = "http") -> str:
        """The address of a use, as a client calls it."""
        return f"{scheme}://{LOOPBACK}:{self.ports[use]}"

    @property
    def api_server(self) -> str:
        """The address of the API server."""
        return f"https://{self.host}:{self.ports['api-server']}"

    @property
    def prometheus(self) -> str:
        """The address of Prometheus."""
        return self.address("prometheus")


PORT_USES = (
    *("etcd", "etcd-peer", "api-server", "controller-manager", "scheduler", "kwok"),
    *("karpenter-metrics", "karpenter-health", "keda-metrics", "keda-health", "keda-grpc"),
    *("adapter", "adapter-metrics", "lws-webhook", "lws-health", "prometheus"),
)
"""Every port that a part listens on."""
