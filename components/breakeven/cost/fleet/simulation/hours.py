"""The hours of a week side by side, for an estimate that cannot spare half a second.

Each hour is an element of the arrays and is led up to by the end of the hour before it, so that a
week takes the steps of at most two hours. What is lost is what outlasts that: the queue of a
fleet that cannot keep up for hours. docs/simulation.md states how far it is from one hour after
another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.fleet.simulation.arithmetic import MANY
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS, STEPS_PER_HOUR, draw_hours
from breakeven.cost.fleet.simulation.first_token import LateRequests
from breakeven.cost.fleet.simulation.parameters import parameters_of, stacked
from breakeven.cost.fleet.simulation.result import SimulatedWeek
from breakeven.cost.fleet.simulation.run import Run, Sums, totals_of

AVERAGED_HOURS = 336
"""So many are averaged at least: bursts make one week differ from another by some percent."""


_DAY = 24


@dataclass(frozen=True, slots=True)
class Case:
    """Inputs of a simulation.

    Attributes:
        rates: Mean request rate of each hour, in requests per second, 0 or more; the first hour
            follows the last.
        burst_factor: Peak minute of an hour over its mean, 1 to below 60.
        configuration: What answers.
        is_sample: Whether every second hour is enough, each day others; not of a shape of one day.
    """

    rates: NDArray[np.float64]
    burst_factor: float
    configuration: FleetConfiguration
    is_sample: bool = False

    @property
    def hours(self) -> NDArray[np.int64]:
        """Which hours of the shape are simulated."""
        hours = np.arange(len(self.rates))
        if not self.is_sample or len(hours) <= _DAY:
            return hours
        return np.asarray(hours[(hours + hours // _DAY) % 2 == 0])


def simulate_hours(cases: Sequence[Case]) -> tuple[SimulatedWeek, ...]:
    """Simulates cases of equally many hours, with the same draws.

    Args:
        cases: One or more.

    Returns:
        Each over as many weeks as have `AVERAGED_HOURS`; of a sample those of its hours.

    Raises:
        DemandError: A rate or the burst factor is beyond its range.
    """
    hours = len(cases[0].rates)
    weeks = math.ceil(AVERAGED_HOURS / hours)
    chosen = [
        np.concatenate([case.hours + hours * week for week in range(weeks)]) for case in cases
    ]
    places = np.concatenate([one + hours * weeks * case for case, one in enumerate(chosen)])
    chances = _draws(cases, weeks)
    lead = _draws(cases, weeks, before=max(map(lead_steps, cases)))
    before = np.concatenate([np.tile(np.roll(case.rates, 1), weeks) for case in cases])[places]
    by_schedule = [case.configuration.fleet.scheduled_in(hours) for case in cases]
    scheduled = np.concatenate([np.tile(one, weeks) for one in by_schedule])[places]
    rolled = [np.tile(np.roll(one, 1), weeks) for one in by_schedule]
    scheduled_before = np.concatenate(rolled)[places]
    counts = [len(one) for one in chosen]
    parameters = stacked([parameters_of(case.configuration) for case in cases], each=counts)
    run = Run(parameters, MANY, before, scheduled_before)
    for arrivals, normal, uniform, interruption in lead:
        run.step(arrivals, normal, uniform, interruption, scheduled_before)
    run.restart()
    late = LateRequests([case.configuration for case in cases], counts)
    for arrivals, normal, uniform, interruption in chances:
        _, ready, _, queue, pace, _, kept = run.step(
            arrivals, normal, uniform, interruption, scheduled
        )
        late.add(kept, queue, pace, ready)
    run.sums.late = late.late()
    sums = _added(run.sums, counts)
    ends = np.cumsum(counts)[:-1]
    replicas, nodes = (
        [one.reshape(weeks, -1).mean(axis=0) / STEPS_PER_HOUR for one in np.split(values, ends)]
        for values in (np.asarray(run.sums.replicas), np.asarray(run.sums.nodes))
    )
    return tuple(
        SimulatedWeek(
            totals=totals_of(case.configuration, sums.of(number), counts[number]),
            objective_seconds=case.configuration.objective_seconds,
            replicas=tuple(replicas[number].tolist()),
            nodes=tuple(nodes[number].tolist()),
        )
        for number, case in enumerate(cases)
    )


def lead_steps(case: Case) -> int:
    """Returns steps in which whatever began before has ended: starts, windows, requests.

    Nodes that several replicas share stay half empty for longer than that.
    """
    fleet = case.configuration.fleet
    if fleet.replicas_per_node > 1:
        return STEPS_PER_HOUR
    longest = (
        2 * (fleet.start_seconds + fleet.scale_down_seconds) + case.configuration.grace_seconds
    )
    return min(math.ceil(longest / STEP_SECONDS), STEPS_PER_HOUR)


def _draws(cases: Sequence[Case], weeks: int, before: int = 0) -> NDArray[np.float64]:
    """Returns the draws by step of the hour, by kind, by hour of each week of each case.

    Args:
        cases: Inputs of a simulation.
        weeks: How many of each.
        before: Returns so many of the last steps before each hour instead, where it is not 0.
    """
    each = [
        draw_hours(
            case.rates,
            case.burst_factor,
            seed,
            # The first hour follows the last.
            (case.hours - 1) % len(case.rates) if before else case.hours,
            before or STEPS_PER_HOUR,
        )
        for case in cases
        for seed in range(weeks)
    ]
    return np.concatenate(each, axis=2)


def _added(sums: Sums, counts: Sequence[int]) -> Sums:
    """Adds up the hours of each case, of which there are so many."""
    starts = np.cumsum([0, *counts[:-1]])
    return Sums(
        **{
            name: (np.maximum if name == "peak" else np.add).reduceat(getattr(sums, name), starts)
            for name in sums.__slots__
        }
    )
