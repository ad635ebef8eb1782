"""What the autoscaler makes of the plan, at the stack's own volume and at others."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.fleet.plan import Fleet, FleetCurve, following_nodes, wanted_replicas
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.enlargement import (
    UNBOUNDED,
    Search,
    ServingFleet,
    keeps_objective,
    run_searches,
    serving_fleet,
)
from breakeven.cost.fleet.simulation.hours import Case
from breakeven.cost.fleet.simulation.result import SimulatedWeek, WeekTotals

PEAKS = (1.6, 2.2, 3.0, 4.5, 10.0, 48.0)
"""Peaks at which the autoscaler is simulated besides the stack's own, in multiples of the fewest
nodes; close together where replicas begin to come and go. From the largest on, the ratio stays."""

_APART = 1.1  # between nearer points the line would show chance
_DIGITS = 12  # of a shape, so that all volumes share one


@dataclass(frozen=True, slots=True)
class SimulatedFleet:
    """A fleet that was simulated.

    Attributes:
        own: Its week at the stack's own volume.
        curve: For the stack's own volume, which is on it, and those near it.
        curve_by_volume: For any volume; it does not depend on the stack's own.
        serving: The smallest fleet that serves the stack's volume in time, and its week; the fleet
            itself if it does.
        if_slower: The same if a replica serves as little as its band allows; an autoscaled fleet
            may then have as many replicas as it asks for.
    """

    own: SimulatedWeek
    curve: FleetCurve
    curve_by_volume: FleetCurve
    serving: ServingFleet
    if_slower: Fleet


SimulateFleet: TypeAlias = Callable[
    [NDArray[np.float64], float, FleetConfiguration, float], SimulatedFleet
]
"""What has the arguments of `simulate_fleet`."""


@dataclass(frozen=True, slots=True)
class Point:
    """One load of a curve; see `FleetCurve`."""

    planned: float
    paid: float
    node_starts: float
    replica_starts: float


def simulate_fleet(
    rates: NDArray[np.float64],
    burst_factor: float,
    configuration: FleetConfiguration,
    low_share: float,
) -> SimulatedFleet:
    """Simulates a stack's week, and other loads where replicas come and go.

    Args:
        rates: Mean request rate of each hour, in requests per second, one of them over 0.
        burst_factor: Peak minute of an hour over its mean, 1 to below 60.
        configuration: Of the stack; its fleet's own curves play no part.
        low_share: What a replica serves at the lower end of its band over what it is planned to
            serve, over 0 to 1.

    Raises:
        DemandError: A rate or the burst factor is beyond its range.
    """
    return _simulated_fleet(tuple(rates.tolist()), burst_factor, configuration, low_share)


def at_own_volume(case: Case, week: SimulatedWeek) -> SimulatedFleet:
    """Returns a fleet that is asked for its own volume alone, for which its week is enough.

    Its bill is that of `simulate_fleet`; break-even and ranges would need more weeks. Where the
    fleet does not serve everything in time, `serving` says that without the one that does.

    Args:
        case: Load and fleet.
        week: Its simulated week.
    """
    near, _ = _curves(case, week, (), ())
    fleet = replace(case.configuration.fleet, curve=near, curve_by_volume=near)
    serving = ServingFleet(fleet, week, enlarged=not keeps_objective(case, week))
    return SimulatedFleet(week, near, near, serving, fleet)


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
    others = _others(case) if fleet.autoscaling else []
    if not fleet.autoscaling or fleet.fixed_nodes is not None:
        return (yield from _constant_fleet(case, others, low_share))
    own, *weeks = yield [case, *others]
    near, by_volume = _curves(case, own, others, weeks)
    serving = yield from serving_fleet(case, own)
    larger = replace(fleet, curve=near, curve_by_volume=by_volume)
    if serving.enlarged:
        larger = _with_ratio(case, serving)
    serving = replace(serving, fleet=larger)
    return SimulatedFleet(own, near, by_volume, serving, replace(larger, highest=UNBOUNDED))


def _constant_fleet(case: Case, others: list[Case], low_share: float) -> Search[SimulatedFleet]:
    """Searches for the same of a pool of fixed size, or of replicas that always run."""
    speed = case.configuration.speed.slower(1 / low_share)
    slow = replace(case, configuration=replace(case.configuration, speed=speed))
    own, own_if_slower, *weeks = yield [case, slow, *others]
    near, by_volume = _curves(case, own, others, weeks)
    drawn = replace(case.configuration.fleet, curve=near, curve_by_volume=by_volume)
    serving = yield from serving_fleet(case, own)
    reserve = yield from serving_fleet(slow, own_if_slower)
    serving = replace(serving, fleet=_drawn(serving, drawn, case.configuration))
    if_slower = _drawn(reserve, drawn, case.configuration)
    return SimulatedFleet(own, near, by_volume, serving, if_slower)


def _drawn(found: ServingFleet, drawn: Fleet, configuration: FleetConfiguration) -> Fleet:
    """Returns a fleet on a pool of fixed size, or of replicas that always run, with its curves."""
    if not found.enlarged:
        return drawn
    constant = _constant(configuration)
    return replace(found.fleet, curve=constant, curve_by_volume=constant)


def _curves(
    case: Case, own: SimulatedWeek, others: Sequence[Case], weeks: Sequence[SimulatedWeek]
) -> tuple[FleetCurve, FleetCurve]:
    """Returns the curve near the stack's own volume, and that of any volume."""
    configuration = case.configuration
    if not configuration.fleet.autoscaling:
        constant = _constant(configuration)
        return constant, constant
    points = [
        point_of(one, week.totals, planned_nodes(one))
        for one, week in zip(others, weeks, strict=True)
    ]
    here = point_of(case, own.totals, planned_nodes(case))
    lowest = _lowest(configuration)
    near = points if math.isinf(configuration.overflow_requests) else []
    return curve(lowest, near, here), curve(lowest, points)


def _others(case: Case) -> list[Case]:
    """Returns loads that depend on the fleet and the shape alone.

    A schedule is for the stack's own volume; break-even, which asks for others, leaves it out. Nor
    does an API help there: break-even is of a fleet that serves everything itself.
    """
    fleet, speed = case.configuration.fleet, case.configuration.speed
    shape = np.round(case.rates / case.rates.max(), _DIGITS)
    free = replace(
        case.configuration,
        fleet=replace(fleet, highest=UNBOUNDED, scheduled=()),
        overflow_requests=math.inf,
    )
    fewest = max(fleet.lowest_planned_nodes, 1)
    served = speed.planned_requests_per_second * fleet.replicas_per_node / case.burst_factor
    # In a pool of fixed size only the starts are asked for, which need fewer points.
    peaks = PEAKS if fleet.fixed_nodes is None else PEAKS[::2]
    return [
        Case(shape * (times * fewest * served), case.burst_factor, free, is_sample=True)
        for times in peaks
    ]


def _with_ratio(case: Case, serving: ServingFleet) -> Fleet:
    """Returns an enlarged fleet that pays for other plans in the ratio of its own week."""
    grown = replace(case, configuration=replace(case.configuration, fleet=serving.fleet))
    point = point_of(grown, serving.week.totals, planned_nodes(grown))
    return replace(serving.fleet, curve=through([point]), curve_by_volume=through([point]))


def point_of(case: Case, totals: WeekTotals, planned: float) -> Point:
    """Returns what a simulated load tells about a plan.

    Args:
        case: The load.
        totals: Of its simulation.
        planned: Nodes of its plan, averaged over time.
    """
    # What takes the place of an interrupted node starts too, and no step of the week adds it.
    again = case.configuration.interruptions_per_node_hour * totals.mean_nodes
    per_node = case.configuration.fleet.replicas_per_node
    return Point(
        planned=planned,
        paid=totals.mean_nodes,
        node_starts=totals.node_starts / totals.hours + again,
        replica_starts=totals.replica_starts / totals.hours + again * per_node,
    )


def _lowest(configuration: FleetConfiguration) -> Point:
    nodes = float(configuration.fleet.lowest_planned_nodes)
    again = configuration.interruptions_per_node_hour * nodes
    return Point(nodes, nodes, again, again * configuration.fleet.replicas_per_node)


def _constant(configuration: FleetConfiguration) -> FleetCurve:
    """Returns the curve of nodes that all run always: only interruptions start any."""
    again = configuration.interruptions_per_node_hour
    return FleetCurve((1.0,), (1.0,), (again,), (again * configuration.fleet.replicas_per_node,))


def planned_nodes(case: Case) -> float:
    """Returns the nodes of the plan, averaged over time, as if nodes followed replicas."""
    served, fleet = case.configuration.speed.planned_requests_per_second, case.configuration.fleet
    replicas = wanted_replicas(case.rates * case.burst_factor, served, fleet)
    return following_nodes(replicas, fleet).nodes


def curve(lowest: Point, others: Sequence[Point], own: Point | None = None) -> FleetCurve:
    """Draws the line through simulated points.

    Args:
        lowest: What is paid and started at any load.
        others: Loads that were simulated.
        own: The stack's own load; it is on the line, those near it are not. None to leave it out.
    """
    kept = [point for point in others if point.planned > lowest.planned * _APART]
    first = lowest
    if own is not None and own.planned > lowest.planned:
        kept = [
            point
            for point in kept
            if not own.planned / _APART < point.planned < own.planned * _APART
        ]
        kept.append(own)
    elif own is not None:
        first = replace(own, planned=lowest.planned, paid=lowest.paid)
    return through(sorted((first, *kept), key=lambda point: point.planned))


def through(points: Sequence[Point]) -> FleetCurve:
    """Returns the line through points in rising order."""
    return FleetCurve(
        planned=tuple(point.planned for point in points),
        paid=tuple(point.paid for point in points),
        node_starts=tuple(point.node_starts for point in points),
        replica_starts=tuple(point.replica_starts for point in points),
    )
