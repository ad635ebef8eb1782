"""The smallest fleet, none smaller than the configured one, that serves a load in time.

A search yields the fleets whose weeks it needs and is sent those weeks, round by round, so that one
run of the simulation can answer many searches at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from breakeven.cost.fleet.plan import Fleet, FleetCurve, plan_week, units_needed
from breakeven.cost.fleet.simulation.first_token import share_alone
from breakeven.cost.fleet.simulation.hours import Case, simulate_hours
from breakeven.cost.fleet.simulation.result import OBJECTIVE_SHARE, SimulatedWeek

UNBOUNDED = 10**6
"""Replicas that no load asks for: what the autoscaler then wants is what it gets."""

ATTAINABLE_MARGIN = 0.01
"""Where not even a replica without a queue answers enough requests in time, a fleet counts as large
enough if it is as near as this to what such a replica reaches."""

_AT_ONCE = 7
"""Fleets that one search tries in a round: a run of the simulation takes little longer for them."""

_Found = TypeVar("_Found")
Search: TypeAlias = Generator[list[Case], tuple[SimulatedWeek, ...], _Found]
"""Yields cases, is sent their weeks, returns what it found."""

_Grow: TypeAlias = Callable[[int], Fleet]


@dataclass(frozen=True, slots=True)
class ServingFleet:
    """A fleet that serves all of the load within its objective.

    Attributes:
        fleet: Its bounds and nodes.
        week: Its simulated week.
        enlarged: Whether it is larger than the configured one.
    """

    fleet: Fleet
    week: SimulatedWeek
    enlarged: bool


def required_share(case: Case) -> float:
    """Returns the share of requests whose first token has to come in time, 0 to 1.

    The objective's, or nearly what a replica without a queue reaches if that is less: more
    replicas shorten the queue, not the prompt.
    """
    configuration = case.configuration
    alone = share_alone(configuration.speed, configuration.objective_seconds)
    return min(OBJECTIVE_SHARE, max(alone - ATTAINABLE_MARGIN, 0.0))


def keeps_objective(case: Case, week: SimulatedWeek) -> bool:
    """Tells whether a fleet serves all requests, enough of them in time."""
    if week.totals.objective_share < required_share(case):
        return False
    configuration = case.configuration
    if configuration.overflow_requests < math.inf:
        return True  # what the fleet does not serve the gateway sends to an API
    served = configuration.speed.planned_requests_per_second
    plan = plan_week(
        case.rates,
        case.burst_factor,
        served,
        replace(configuration.fleet, curve=FleetCurve()),
    )
    return plan.serves_load


def serving_fleet(case: Case, week: SimulatedWeek, at_once: int = _AT_ONCE) -> Search[ServingFleet]:
    """Searches for the smallest fleet that serves a load in time.

    An autoscaled fleet first gets a higher maximum; where that is not enough, because requests
    wait while replicas start, a higher minimum. Other fleets get replicas that always run, and as
    many nodes as hold them: so does a pool of fixed size, whose nodes are paid in any case.

    Args:
        case: Load and configured fleet.
        week: Its simulated week.
        at_once: Fleets to try in a round, 1 or more.
    """
    fleet = case.configuration.fleet
    if keeps_objective(case, week):
        return ServingFleet(fleet, week, enlarged=False)
    if not fleet.autoscaling or fleet.fixed_nodes is not None:
        fails = fleet.highest - fleet.autoscaling
        return (yield from _grown(case, lambda replicas: constant(fleet, replicas), fails, at_once))
    free = replace(fleet, highest=UNBOUNDED)
    [unbounded] = yield [_with(case, free)]
    if keeps_objective(_with(case, free), unbounded):
        peak = unbounded.totals.peak_replicas
        known = ServingFleet(replace(fleet, highest=peak), unbounded, enlarged=True)
        return (
            yield from _between(
                case,
                lambda replicas: replace(fleet, highest=replicas),
                (fleet.highest, peak),
                known,
                at_once,
            )
        )
    # More than the peak minute takes the autoscaler would only add while requests wait.
    most = max(fleet.highest, _peak_replicas(case))
    return (
        yield from _grown(
            case,
            lambda replicas: replace(fleet, lowest=replicas, highest=max(most, replicas)),
            fleet.lowest,
            at_once,
        )
    )


def constant(fleet: Fleet, replicas: int) -> Fleet:
    """Returns so many replicas that always run, on at least the nodes that are there."""
    nodes = fleet.fixed_nodes
    if nodes is not None:
        nodes = max(nodes, math.ceil(replicas / fleet.replicas_per_node))
    return replace(
        fleet,
        lowest=replicas,
        highest=replicas,
        autoscaling=False,
        fixed_nodes=nodes,
        scheduled=(),
    )


Simulate: TypeAlias = Callable[[Sequence[Case]], tuple[SimulatedWeek, ...]]
"""Returns the weeks of cases, in order."""


def run_searches(
    searches: Sequence[Search[_Found]], simulate: Simulate = simulate_hours
) -> tuple[_Found, ...]:
    """Runs searches together; all of their loads have equally many hours.

    Args:
        searches: They.
        simulate: Simulates cases; another one may remember weeks.

    Raises:
        DemandError: A rate or a burst factor is beyond its range.
    """
    found: dict[int, _Found] = {}
    asked: dict[int, list[Case]] = {}

    def advance(number: int, weeks: tuple[SimulatedWeek, ...] | None) -> None:
        try:
            search = searches[number]
            asked[number] = next(search) if weeks is None else search.send(weeks)
        except StopIteration as ended:
            found[number] = ended.value
            asked.pop(number, None)

    for number in range(len(searches)):
        advance(number, None)
    while asked:
        turn = dict(asked)
        weeks = simulate([case for cases in turn.values() for case in cases])
        place = 0
        for number, cases in turn.items():
            advance(number, weeks[place : place + len(cases)])
            place += len(cases)
    return tuple(found[number] for number in range(len(searches)))


def _with(case: Case, fleet: Fleet) -> Case:
    return replace(case, configuration=replace(case.configuration, fleet=fleet))


def _peak_replicas(case: Case) -> int:
    """Returns the replicas that the peak minute takes."""
    served = case.configuration.speed.planned_requests_per_second
    return int(units_needed(float(case.rates.max()) * case.burst_factor, served))


def _grown(case: Case, grow: _Grow, fails: int, at_once: int) -> Search[ServingFleet]:
    """Searches upward from a number of replicas that is not enough."""
    peak = _peak_replicas(case)
    tried = max(fails + 1, peak)
    while True:
        larger = _with(case, grow(tried))
        [week] = yield [larger]
        # A minute of a burst may be above the peak minute's mean by chance; twice as many replicas
        # are enough for any.
        if keeps_objective(larger, week) or tried > 2 * max(peak, fails + 1):
            break
        fails, tried = tried, tried + max(1, tried // 2)
    known = ServingFleet(grow(tried), week, enlarged=True)
    return (yield from _between(case, grow, (fails, tried), known, at_once))


def _between(
    case: Case, grow: _Grow, bounds: tuple[int, int], known: ServingFleet, at_once: int
) -> Search[ServingFleet]:
    """Narrows down between a number that is not enough and one that is."""
    fails, enough = bounds
    while enough - fails > 1:
        parts = min(at_once, enough - fails - 1) + 1
        tried = [fails + (enough - fails) * part // parts for part in range(1, parts)]
        cases = [_with(case, grow(replicas)) for replicas in tried]
        weeks = yield cases
        for replicas, larger, week in zip(tried, cases, weeks, strict=True):
            if keeps_objective(larger, week):
                enough, known = replicas, ServingFleet(grow(replicas), week, enlarged=True)
                break
            fails = replicas
    return known
