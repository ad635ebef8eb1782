"""What a check is, and what it may ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from breakeven.cluster.connection import Cluster
from breakeven.cluster.preflight.finding import Finding
from breakeven.cluster.preflight.needs import Needs
from breakeven.cluster.prometheus import Prometheus


@dataclass(frozen=True)
class Probe:
    """The clusters of a stack, as a check sees them.

    Attributes:
        needs: What the stack needs.
        clusters: Its clusters by context, as `Needs.contexts` names them.
        prometheus: The Prometheus of the stack.
        may_probe: Whether pods may be started to look.
        seconds: How long a pod of a probe may take.
    """

    needs: Needs
    clusters: dict[str, Cluster]
    prometheus: Prometheus
    may_probe: bool = False
    seconds: float = 120.0
    _namespaces: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)

    @property
    def cluster(self) -> Cluster:
        """The cluster in which the model runs."""
        return self.clusters[""]

    @cached_property
    def nodes(self) -> tuple[dict[str, Any], ...]:
        """Its nodes."""
        return tuple(self.cluster.items("/api/v1/nodes"))

    @cached_property
    def daemon_sets(self) -> tuple[dict[str, Any], ...]:
        """DaemonSets of all namespaces."""
        return tuple(self.cluster.items("/apis/apps/v1/daemonsets"))

    def namespace(self, name: str, context: str = "") -> dict[str, Any] | None:
        """Returns a namespace; None where there is none."""
        place = context, name
        if place not in self._namespaces:
            self._namespaces[place] = self.clusters[context].find(f"/api/v1/namespaces/{name}")
        found: dict[str, Any] | None = self._namespaces[place]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that is looked at.

    Attributes:
        id: Name of the check, in answers and in docs/preflight.md.
        asks: What it looks at, as one line of docs/preflight.md.
        applies: Whether a stack needs it.
        run: Looks, and yields a line for each thing that it looked at.
        starts_pods: Whether it starts pods, and so runs with --probe alone.
    """

    id: str
    asks: str
    applies: Callable[[Needs], bool]
    run: Callable[[Probe], Iterable[Finding]]
    starts_pods: bool = False


def always(_: Needs) -> bool:
    """Every stack needs it."""
    return True
