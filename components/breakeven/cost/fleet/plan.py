"""The plan of a week: replicas and nodes that carry each hour's peak minute, and what is paid.

An hour is in balance with its own load. A replica that starts or stops within the week is paid
while it loads and while the autoscaler waits to remove it, but does not serve. What an autoscaler
makes of the same week `week` simulates, in steps of seconds; `NodesPaid` says how the two compare.
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
        amount: Such as requests a second, 0 or more; a number or many.
        capacity: What one carries, over 0.
    """
    return np.ceil(np.asarray(amount) / capacity - _ROUNDING).astype(np.int64)


@dataclass(frozen=True, slots=True)
class NodesPaid:
    """Nodes paid on average by those planned on average, as a simulated autoscaler does.

    Between two points a line, beyond the last in its ratio.

    Attributes:
        planned: Nodes of the plan, averaged over time, over 0 and rising; empty for "as planned".
        paid: Nodes of the simulation for each, 0 or more.
    """

    planned: tuple[float, ...] = ()
    paid: tuple[float, ...] = ()

    def of(self, planned: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns what is paid, for each of some plans."""
        if not self.planned:
            return planned
        beyond = planned * (self.paid[-1] / self.planned[-1])
        within = np.interp(planned, self.planned, self.paid)
        return np.where(planned > self.planned[-1], beyond, within)


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
        fixed_nodes: Nodes that are paid whether busy or not, or None where nodes follow replicas.
        start_seconds: From the decision to add a replica to its first token, node start included.
        scale_down_seconds: Seconds of lower demand before a replica is removed.
        nodes_paid: What the autoscaler makes of a plan.
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
    nodes_paid: NodesPaid = NodesPaid()

    @property
    def lowest_nodes(self) -> int:
        """Nodes that are paid at any load."""
        if self.fixed_nodes is not None:
            return self.fixed_nodes
        replicas = self.lowest if self.autoscaling else self.highest
        return math.ceil(replicas / self.replicas_per_node)

    def scheduled_in(self, hours: int) -> NDArray[np.int64]:
        """Returns the fewest replicas by schedule of so many hours, 0 where it asks for none."""
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
    """

    mean_nodes: float
    peak_replicas: int
    busy_share: float
    unserved_share: float
    overflow_share: float = 0.0
    node_starts_per_hour: float = 0.0

    @property
    def serves_load(self) -> bool:
        """Whether the fleet serves the load, but for noise."""
        return self.unserved_share <= NEGLIGIBLE_UNSERVED_SHARE


def plan_week(
    rates: NDArray[np.float64], burst_factor: float, requests_per_second: float, fleet: Fleet
) -> FleetWeek:
    """Runs the hours of a shape through the fleet's rules.

    Args:
        rates: Mean request rate of each hour, in requests a second.
        burst_factor: Peak minute of an hour over its mean; replicas are provided for it.
        requests_per_second: What one replica serves at saturation.
        fleet: How many replicas and nodes may run.
    """
    replicas = wanted_replicas(rates * burst_factor, requests_per_second, fleet)
    nodes, starts_per_hour = paid_nodes(replicas, fleet)
    capacity = replicas * requests_per_second
    served = np.minimum(rates, capacity)
    demand = float(rates.sum())
    mean_nodes = float(fleet.nodes_paid.of(nodes.mean()))
    provisioned = mean_nodes * fleet.replicas_per_node * requests_per_second
    return FleetWeek(
        mean_nodes=mean_nodes,
        peak_replicas=int(replicas.max()),
        busy_share=min(float(served.mean()) / provisioned, 1.0) if provisioned else 0.0,
        unserved_share=1 - float(served.sum()) / demand,
        node_starts_per_hour=starts_per_hour,
    )


def wanted_replicas(
    peak_rates: NDArray[np.float64], requests_per_second: float, fleet: Fleet
) -> NDArray[np.int64]:
    """Returns the replicas of each hour, between the fleet's lowest and highest."""
    if not fleet.autoscaling:
        return np.full(peak_rates.shape, fleet.highest, dtype=np.int64)
    needed = units_needed(peak_rates, requests_per_second)
    lowest = np.maximum(fleet.lowest, fleet.scheduled_in(len(needed)))
    return np.clip(needed, lowest, fleet.highest)


def paid_nodes(replicas: NDArray[np.int64], fleet: Fleet) -> tuple[NDArray[np.float64], float]:
    """Returns the nodes paid in each hour, and how many start in a mean one.

    Where nodes follow replicas, a node is also paid while its first replica loads and, at the end,
    while the autoscaler waits to remove it: `start_seconds` and `scale_down_seconds` a start. The
    first hour follows the last, so that a week repeats.
    """
    if fleet.fixed_nodes is not None:
        return np.full(replicas.shape, float(fleet.fixed_nodes)), 0.0
    nodes = np.ceil(replicas / fleet.replicas_per_node)
    starts = np.maximum(nodes - np.roll(nodes, 1), 0.0)
    overhead = starts * ((fleet.start_seconds + fleet.scale_down_seconds) / 3600)
    return np.asarray(nodes + overhead, dtype=np.float64), float(starts.mean())
