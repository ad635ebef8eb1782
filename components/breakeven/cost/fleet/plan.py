"""The plan of a week: replicas and nodes that carry each hour's peak minute, and what is paid.

An hour is in balance with its own load. A replica that starts or stops within the week is paid
while it loads and while the autoscaler waits to remove it, but does not serve. What an autoscaler
makes of the same week `week` simulates, in steps of seconds; `FleetCurve` says how the two compare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

NEGLIGIBLE_UNSERVED_SHARE = 0.001
"""Requests beyond capacity that count as measurement noise rather than as a fleet too small."""

_ROUNDING = 1e-9


def units_needed(amount: ArrayLike, capacity: float) -> NDArray[np.int64]:
    """Returns how many replicas or nodes carry an amount; such as those of the peak minute.

    An amount that is a whole multiple of the capacity up to rounding needs no further one.

    Args:
        amount: Such as requests per second, 0 or more; a number or many.
        capacity: What one carries, over 0.
    """
    return np.ceil(np.asarray(amount) / capacity - _ROUNDING).astype(np.int64)


@dataclass(frozen=True, slots=True)
class FleetCurve:
    """What an autoscaler makes of planned nodes, by a simulation of some loads.

    All are by the nodes that a plan has on average if nodes follow replicas. Between two points a
    line, beyond the last in its ratio.

    Attributes:
        planned: Nodes of the plan, averaged over time, 0 or more and rising; empty for "as
            planned".
        paid: Nodes of the simulation for each, 0 or more.
        node_starts: Nodes that start in an hour for each, averaged over time, 0 or more.
        replica_starts: The same of replicas.
    """

    planned: tuple[float, ...] = ()
    paid: tuple[float, ...] = ()
    node_starts: tuple[float, ...] = ()
    replica_starts: tuple[float, ...] = ()

    def nodes_paid(self, planned: ArrayLike) -> NDArray[np.float64]:
        """Returns the nodes that are paid, for each of some plans."""
        return self._at(planned, self.paid) if self.planned else np.asarray(planned, np.float64)

    def nodes_started(self, planned: ArrayLike) -> NDArray[np.float64]:
        """Returns the nodes that start in an hour, for each of some plans."""
        return self._at(planned, self.node_starts)

    def replicas_started(self, planned: ArrayLike) -> NDArray[np.float64]:
        """Returns the replicas that start in an hour, for each of some plans."""
        return self._at(planned, self.replica_starts)

    def _at(self, planned: ArrayLike, values: tuple[float, ...]) -> NDArray[np.float64]:
        nodes = np.asarray(planned, np.float64)
        if not values:
            return np.zeros_like(nodes)
        within = np.interp(nodes, self.planned, values)
        last = self.planned[-1]
        return np.where(nodes > last, nodes * (values[-1] / last), within) if last else within


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The rules by which replicas and nodes come and go.

    Where a replica spans several machines, they come and go together, and a "node" here is all of
    them.

    Attributes:
        lowest: Fewest replicas, 1 or more.
        highest: Most replicas, `lowest` or more.
        autoscaling: Whether the number of replicas follows the load; else `highest` always run.
        replicas_per_node: Whole replicas that fill a node, 1 or more.
        gpus_per_node: GPUs of a node.
        fixed_nodes: Nodes that are paid whether busy or not, or None if nodes follow replicas.
        start_seconds: From the decision to add a replica to its first token, node start included.
        scale_down_seconds: Seconds of lower demand before a replica is removed.
        curve: What the autoscaler makes of this load's plan, and of those near it.
        curve_by_volume: The same for any load, whatever this one is.
        machines_per_node: Machines that a replica spans; 1 unless it is too large for one.
        scheduled: Fewest replicas of each hour of a week by a schedule; empty for none. Where it is
            not, the load's shape is of whole weeks that begin with the same hour.
    """

    lowest: int
    highest: int
    autoscaling: bool
    replicas_per_node: int
    gpus_per_node: int
    fixed_nodes: int | None
    start_seconds: float
    scale_down_seconds: float
    machines_per_node: int = 1
    scheduled: tuple[int, ...] = ()
    curve: FleetCurve = FleetCurve()
    curve_by_volume: FleetCurve = FleetCurve()

    @property
    def lowest_nodes(self) -> int:
        """Nodes that are paid at any load."""
        return self.lowest_planned_nodes if self.fixed_nodes is None else self.fixed_nodes

    @property
    def lowest_planned_nodes(self) -> int:
        """Nodes that the replicas of any load fill, even in a pool of fixed size."""
        replicas = self.lowest if self.autoscaling else self.highest
        return math.ceil(replicas / self.replicas_per_node)

    def scheduled_in(self, hours: int) -> NDArray[np.int64]:
        """Returns the scheduled minimum of replicas of each hour; 0 without a schedule."""
        return np.resize(np.array(self.scheduled or (0,), dtype=np.int64), hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetWeek:
    """What the fleet does with a load.

    Attributes:
        mean_nodes: Nodes paid, averaged over time.
        peak_replicas: Most replicas that an hour's peak minute asks for.
        busy_share: Work done over work that the paid nodes could do, 0 to 1.
        unserved_share: Requests that nobody serves, over all requests, 0 to 1: those beyond the
            capacity of their hour.
        overflow_share: Requests that an API serves in the fleet's place over all requests, 0 to 1.
        node_starts_per_hour: Nodes that are added in an hour, averaged over time.
        replica_starts_per_hour: Replicas that start in an hour, and read their weights.
    """

    mean_nodes: float
    peak_replicas: int
    busy_share: float
    unserved_share: float
    overflow_share: float = 0.0
    node_starts_per_hour: float = 0.0
    replica_starts_per_hour: float = 0.0

    @property
    def serves_load(self) -> bool:
        """Whether the fleet serves the load, but for noise."""
        return self.unserved_share <= NEGLIGIBLE_UNSERVED_SHARE


def plan_week(
    rates: NDArray[np.float64], burst_factor: float, requests_per_second: float, fleet: Fleet
) -> FleetWeek:
    """Runs the hours of a shape through the fleet's rules.

    Args:
        rates: Mean request rate of each hour, in requests per second.
        burst_factor: Peak minute of an hour over its mean; replicas are provided for it.
        requests_per_second: What one replica serves at saturation.
        fleet: How many replicas and nodes may run.
    """
    replicas = wanted_replicas(rates * burst_factor, requests_per_second, fleet)
    following = following_nodes(replicas, fleet)
    capacity = replicas * requests_per_second
    served = np.minimum(rates, capacity)
    demand = float(rates.sum())
    mean_nodes = float(fleet.curve.nodes_paid(following.nodes))
    if fleet.fixed_nodes is not None:
        mean_nodes = float(fleet.fixed_nodes)
    simulated = bool(fleet.curve.planned)
    provisioned = mean_nodes * fleet.replicas_per_node * requests_per_second
    node_starts, replica_starts = (
        (fleet.curve.nodes_started(following.nodes), fleet.curve.replicas_started(following.nodes))
        if simulated
        else (following.node_starts, following.replica_starts)
    )
    return FleetWeek(
        mean_nodes=mean_nodes,
        peak_replicas=int(replicas.max()),
        busy_share=min(float(served.mean()) / provisioned, 1.0) if provisioned else 0.0,
        unserved_share=1 - float(served.sum()) / demand,
        node_starts_per_hour=0.0 if fleet.fixed_nodes is not None else float(node_starts),
        replica_starts_per_hour=float(replica_starts),
    )


def wanted_replicas(
    peak_rates: NDArray[np.float64], requests_per_second: float, fleet: Fleet
) -> NDArray[np.int64]:
    """Returns the replicas of each hour, between the fleet's lowest and highest."""
    if not fleet.autoscaling:
        return np.full(peak_rates.shape, fleet.highest, dtype=np.int64)
    needed = units_needed(peak_rates, requests_per_second)
    lowest: int | NDArray[np.int64] = fleet.lowest
    if fleet.scheduled:
        lowest = np.maximum(lowest, fleet.scheduled_in(len(needed)))
    return np.minimum(np.maximum(needed, lowest), fleet.highest)


@dataclass(frozen=True, slots=True)
class FollowingNodes:
    """Nodes that follow replicas; means over time.

    Attributes:
        nodes: Paid.
        node_starts: That start in an hour.
        replica_starts: The same of replicas.
    """

    nodes: float
    node_starts: float
    replica_starts: float


def following_nodes(replicas: NDArray[np.int64], fleet: Fleet) -> FollowingNodes:
    """Returns the nodes that are paid where they follow replicas, and how many start.

    A node is also paid while its first replica loads and, at the end, while the autoscaler waits to
    remove it: `start_seconds` and `scale_down_seconds` a start. The first hour follows the last, so
    that a week repeats.

    Args:
        replicas: Of each hour.
        fleet: Its `fixed_nodes` play no part.
    """
    nodes = np.ceil(replicas / fleet.replicas_per_node)
    node_starts = _starts(nodes)
    overhead = node_starts * ((fleet.start_seconds + fleet.scale_down_seconds) / 3600)
    return FollowingNodes(
        nodes=float(nodes.mean()) + overhead,
        node_starts=node_starts,
        replica_starts=_starts(replicas),
    )


def _starts(running: NDArray[np.float64] | NDArray[np.int64]) -> float:
    """Returns how many start in an hour, averaged over time; the first hour follows the last."""
    # As many stop as start, so that half of all changes are starts.
    changes = np.abs(running[1:] - running[:-1]).sum() + abs(running[0] - running[-1])
    return float(changes) / (2 * len(running))
