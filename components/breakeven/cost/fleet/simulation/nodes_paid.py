"""What the autoscaler makes of the plan, at the stack's own volume and at larger ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.fleet.plan import Fleet, NodesPaid, plan_week
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.enlargement import (
    UNBOUNDED,
    Search,
    ServingFleet,
    run_searches,
    serving_fleet,
)
from breakeven.cost.fleet.simulation.hours import Case
from breakeven.cost.fleet.simulation.result import SimulatedWeek

LARGER = (3, 12, 48)
"""Peaks at which the autoscaler is simulated besides the stack's own, in multiples of the fewest
nodes; from the largest on, its ratio to the plan stays."""

_APART = 1.1  # between nearer points the line would show chance


@dataclass(frozen=True, slots=True)
class SimulatedFleet:
    """A fleet that was simulated.

    Attributes:
        own: Its week at the stack's own volume.
        nodes_paid: For any volume.
        serving: The smallest fleet that serves the stack's volume in time, and its week; the fleet
            itself if it does.
        if_slower: The same where a replica serves as little as its band allows; an autoscaled fleet
            may then have as many replicas as it asks for.
    """

    own: SimulatedWeek
    nodes_paid: NodesPaid
    serving: ServingFleet
    if_slower: Fleet


def simulate_fleet(
    rates: NDArray[np.float64],
    burst_factor: float,
    configuration: FleetConfiguration,
    low_share: float,
) -> SimulatedFleet:
    """Simulates a stack's week, and larger ones where nodes come and go.

    Args:
        rates: Mean request rate of each hour, in requests a second, one of them over 0.
        burst_factor: Peak minute of an hour over its mean, 1 to below 60.
        configuration: Of the stack; its fleet's own `nodes_paid` plays no part.
        low_share: What a replica serves at the lower end of its band over what it is planned to
            serve, over 0 to 1.

    Raises:
        DemandError: A rate or the burst factor is beyond its range.
    """
    return _simulated_fleet(tuple(rates.tolist()), burst_factor, configuration, low_share)


# The commands of one process, and all of the tests, ask for the same weeks again.
@lru_cache(maxsize=64)
def _simulated_fleet(
    rates_by_hour: tuple[float, ...],
    burst_factor: float,
    configuration: FleetConfiguration,
    low_share: float,
) -> SimulatedFleet:
    case = Case(np.asarray(rates_by_hour), burst_factor, configuration)
    [found] = run_searches([simulated_fleet(case, low_share)])
    return found


def simulated_fleet(case: Case, low_share: float) -> Search[SimulatedFleet]:
    """Searches for what `simulate_fleet` returns."""
    fleet = case.configuration.fleet
    if not fleet.autoscaling or fleet.fixed_nodes is not None:
        slow = replace(case, configuration=slower(case.configuration, low_share))
        own, own_if_slower = yield [case, slow]
        serving = yield from serving_fleet(case, own)
        reserve = yield from serving_fleet(slow, own_if_slower)
        return SimulatedFleet(own, NodesPaid(), serving, reserve.fleet)
    served = case.configuration.speed.planned_requests_per_second * fleet.replicas_per_node
    nodes_at_peak = float(case.rates.max()) * case.burst_factor / served
    fewest = max(fleet.lowest_nodes, 1)
    # A schedule is for the stack's own volume; break-even, which asks for others, leaves it out.
    free = replace(fleet, highest=UNBOUNDED, scheduled=())
    unbounded = replace(case.configuration, fleet=free)
    larger = (
        Case(case.rates * (times * fewest / nodes_at_peak), case.burst_factor, unbounded)
        for times in LARGER
    )
    cases = [case, *larger]
    weeks = yield cases
    planned = [planned_nodes(one) for one in cases]
    points = list(zip(planned, (week.totals.mean_nodes for week in weeks), strict=True))
    paid = curve(fleet.lowest_nodes, points[0], points[1:])
    serving = yield from serving_fleet(case, weeks[0])
    if serving.enlarged:
        larger_fleet = _with_ratio(case, serving)
        serving = replace(serving, fleet=larger_fleet)
    else:
        serving = replace(serving, fleet=replace(fleet, nodes_paid=paid))
    if_slower = replace(serving.fleet, highest=UNBOUNDED)
    return SimulatedFleet(weeks[0], paid, serving, if_slower)


def slower(configuration: FleetConfiguration, low_share: float) -> FleetConfiguration:
    """Returns a configuration whose replicas take longer for everything."""
    speed = configuration.speed
    return replace(
        configuration,
        speed=replace(
            speed,
            seconds_alone=speed.seconds_alone / low_share,
            seconds_full=speed.seconds_full / low_share,
            first_token_seconds=speed.first_token_seconds / low_share,
            planned_requests_per_second=speed.planned_requests_per_second * low_share,
        ),
    )


def _with_ratio(case: Case, serving: ServingFleet) -> Fleet:
    """Returns an enlarged fleet that pays for other plans in the ratio of its own week."""
    grown = replace(case, configuration=replace(case.configuration, fleet=serving.fleet))
    paid = NodesPaid((planned_nodes(grown),), (serving.week.totals.mean_nodes,))
    return replace(serving.fleet, nodes_paid=paid)


def planned_nodes(case: Case) -> float:
    """Returns the nodes of the plan, averaged over time."""
    plain = replace(case.configuration.fleet, nodes_paid=NodesPaid())
    served = case.configuration.speed.planned_requests_per_second
    return plan_week(case.rates, case.burst_factor, served, plain).mean_nodes


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
