"""What a simulated week shows."""

from __future__ import annotations

from dataclasses import dataclass

OBJECTIVE_SHARE = 0.95
"""Of requests that the latency objective is for; as in the alerts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekTotals:
    """Totals of a configuration.

    Attributes:
        hours: Length of what was simulated.
        node_hours: Paid.
        gpu_hours: Of those nodes.
        busy_share: Requests served over those that the paid nodes could serve by plan, 0 to 1.
        mean_replicas: Wanted by the autoscaler, averaged over time.
        peak_replicas: Most of them.
        replica_starts: Replicas added.
        node_starts: Nodes added.
        requests: That came.
        served: That were answered.
        in_flight_at_start: That were there before.
        in_flight_at_end: That were left.
        mean_queueing_seconds: Waiting for a slot, over all requests.
        objective_share: Requests whose first token came within the objective, 0 to 1.
        cold_share: Requests that came while no replica was ready, 0 to 1.
        overflow_share: Requests that a gateway sent to an API, 0 to 1; the cold ones among them.
    """

    hours: float
    node_hours: float
    gpu_hours: float
    busy_share: float
    mean_replicas: float
    peak_replicas: int
    replica_starts: int
    node_starts: int
    requests: int
    served: int
    in_flight_at_start: int
    in_flight_at_end: int
    mean_queueing_seconds: float
    objective_share: float
    cold_share: float
    overflow_share: float

    @property
    def mean_nodes(self) -> float:
        """Nodes paid, averaged over time."""
        return self.node_hours / self.hours

    @property
    def idle_share(self) -> float:
        """What is not busy."""
        return 1 - self.busy_share


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Means of each hour, for plots.

    Attributes:
        requests_per_second: That came.
        replicas: Wanted by the autoscaler.
        ready_replicas: That could answer.
        nodes: Paid.
        idle_nodes: Paid nodes x their idle share.
    """

    requests_per_second: tuple[float, ...]
    replicas: tuple[float, ...]
    ready_replicas: tuple[float, ...]
    nodes: tuple[float, ...]
    idle_nodes: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedWeek:
    """One configuration, the mean of several weeks.

    Attributes:
        totals: Of all of them.
        objective_seconds: To the first token, that `totals.objective_share` is about.
        replicas: Wanted by the autoscaler, mean of each hour.
        nodes: Paid, mean of each hour.
    """

    totals: WeekTotals
    objective_seconds: float
    replicas: tuple[float, ...]
    nodes: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One configuration in full.

    Attributes:
        totals: See there.
        p95_queueing_seconds: 95% of requests waited no longer for a slot.
        hours: The course of it.
    """

    totals: WeekTotals
    p95_queueing_seconds: float
    hours: Hours
