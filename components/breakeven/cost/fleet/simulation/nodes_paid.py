"""What the autoscaler makes of the plan, at the stack's own volume and at larger ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.fleet.plan import NodesPaid, plan_week
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.hours import Case, simulate_hours
from breakeven.cost.fleet.simulation.result import SimulatedWeek

LARGER = (3, 12, 48)
"""Peaks at which the autoscaler is simulated besides the stack's own, in multiples of the fewest
nodes; from the largest on, its ratio to the plan stays."""

_APART = 1.1  # between nearer points the line would show chance
_UNBOUNDED = 10**6  # replicas; break-even goes beyond what the stack allows


@dataclass(frozen=True, slots=True)
class SimulatedFleet:
    """A fleet that was simulated.

    Attributes:
        own: Its week at the stack's own volume.
        nodes_paid: For any volume.
    """

    own: SimulatedWeek
    nodes_paid: NodesPaid


def simulate_fleet(
    rates: NDArray[np.float64], burst_factor: float, configuration: FleetConfiguration
) -> SimulatedFleet:
    """Simulates a stack's week, and larger ones where nodes come and go.

    Args:
        rates: Mean request rate of each hour, in requests a second, one of them over 0.
        burst_factor: Peak minute of an hour over its mean, 1 to below 60.
        configuration: Of the stack; its fleet's own `nodes_paid` plays no part.

    Raises:
        DemandError: A rate or the burst factor is beyond its range.
    """
    return _simulated_fleet(tuple(rates.tolist()), burst_factor, configuration)


# The commands of one process, and all of the tests, ask for the same weeks again.
@lru_cache(maxsize=64)
def _simulated_fleet(
    rates_by_hour: tuple[float, ...], burst_factor: float, configuration: FleetConfiguration
) -> SimulatedFleet:
    rates, fleet = np.asarray(rates_by_hour), configuration.fleet
    own = Case(rates, configuration)
    if not fleet.autoscaling or fleet.fixed_nodes is not None:
        return SimulatedFleet(simulate_hours([own], burst_factor)[0], NodesPaid())
    served = configuration.speed.planned_requests_per_second * fleet.replicas_per_node
    nodes_at_peak = float(rates.max()) * burst_factor / served
    fewest = max(fleet.lowest_nodes, 1)
    # A schedule is for the stack's own volume; break-even, which asks for others, leaves it out.
    free = replace(fleet, highest=_UNBOUNDED, scheduled=())
    unbounded = replace(configuration, fleet=free)
    larger = (Case(rates * (times * fewest / nodes_at_peak), unbounded) for times in LARGER)
    cases = [own, *larger]
    simulated = simulate_hours(cases, burst_factor)
    planned = [planned_nodes(case, burst_factor) for case in cases]
    points = list(zip(planned, (week.totals.mean_nodes for week in simulated), strict=True))
    return SimulatedFleet(simulated[0], curve(fleet.lowest_nodes, points[0], points[1:]))


def planned_nodes(case: Case, burst_factor: float) -> float:
    """Returns the nodes of the plan, averaged over time."""
    plain = replace(case.configuration.fleet, nodes_paid=NodesPaid())
    served = case.configuration.speed.planned_requests_per_second
    return plan_week(case.rates, burst_factor, served, plain).mean_nodes


def curve(
    lowest_nodes: int, own: tuple[float, float], larger: list[tuple[float, float]]
) -> NodesPaid:
    """Draws the line through simulated points; the stack's own is on it, those near it are not.

    Args:
        lowest_nodes: Paid at any load.
        own: Nodes planned and paid at the stack's own volume.
        larger: The same at other volumes.
    """
    start = (float(lowest_nodes), float(lowest_nodes))
    points = [start] if lowest_nodes else []
    kept = [
        point
        for point in larger
        if point[0] > lowest_nodes and not own[0] / _APART < point[0] < own[0] * _APART
    ]
    if own[0] > lowest_nodes:
        kept.append(own)
    points += sorted(kept)
    return NodesPaid(tuple(one for one, _ in points), tuple(paid for _, paid in points))
