"""Runs the week, a step at a time: requests come and end, the autoscaler looks, nodes follow.

Requests are counted, not followed, so time grows with the hours and not with the requests.
docs/simulation.md states how far it is from a simulation of each request.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.fleet.simulation.arithmetic import MANY, ONE
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS, STEPS_PER_HOUR, StepDraws, draw
from breakeven.cost.fleet.simulation.first_token import LateRequests, late_requests
from breakeven.cost.fleet.simulation.parameters import parameters_of, stacked
from breakeven.cost.fleet.simulation.result import Hours, Week, WeekTotals
from breakeven.cost.fleet.simulation.run import Run, totals_of


def simulate_week(
    rates: NDArray[np.float64], burst_factor: float, configuration: FleetConfiguration, seed: int
) -> Week:
    """Simulates one configuration.

    Args:
        rates: Mean request rate of each hour, in requests per second, 0 or more.
        burst_factor: Peak minute of an hour over its mean, 1 to below 60.
        configuration: What answers.
        seed: Of the draws, 0 or more; the same seed gives the same week.

    Raises:
        DemandError: A rate or the burst factor is beyond its range.
    """
    demand = draw(rates, burst_factor, seed)
    scheduled = _scheduled(configuration, len(rates)).tolist()
    run = Run(parameters_of(configuration), ONE, float(rates[0]), scheduled[0])
    steps = np.asarray(
        [run.step(*chances, now) for chances, now in zip(_steps(demand), scheduled, strict=True)]
    )
    replicas, ready, nodes, queue, pace, ended, kept = steps.T
    run.sums.late = late_requests(configuration, kept, queue, pace, ready).sum()
    served = configuration.speed.planned_requests_per_second * configuration.fleet.replicas_per_node
    busy = _hourly(ended) / STEP_SECONDS / served
    return Week(
        totals=totals_of(configuration, run.sums, len(rates)),
        p95_queueing_seconds=_quantile(_waits(queue, pace), demand.arrivals, 0.95),
        hours=Hours(
            requests_per_second=tuple((_hourly(demand.arrivals) / STEP_SECONDS).tolist()),
            replicas=tuple(_hourly(replicas).tolist()),
            ready_replicas=tuple(_hourly(ready).tolist()),
            nodes=tuple(_hourly(nodes).tolist()),
            idle_nodes=tuple(np.maximum(_hourly(nodes) - busy, 0.0).tolist()),
        ),
    )


def simulate_weeks(
    rates: NDArray[np.float64],
    burst_factor: float,
    configurations: Sequence[FleetConfiguration],
    seed: int,
) -> tuple[WeekTotals, ...]:
    """Simulates many configurations under the same load and the same draws, as arrays.

    The totals are those of `simulate_week`. A thousand configurations take some fifteen
    milliseconds each, one alone takes four hundred (bench/week_simulation.py).

    Raises:
        DemandError: A rate or the burst factor is beyond its range.
    """
    demand = draw(rates, burst_factor, seed)
    scheduled = np.stack([_scheduled(one, len(rates)) for one in configurations], axis=1)
    parameters = stacked([parameters_of(one) for one in configurations])
    run = Run(parameters, MANY, float(rates[0]), scheduled[0])
    late = LateRequests(configurations, [1] * len(configurations))
    for chances, now in zip(_steps(demand), scheduled, strict=True):
        _, ready, _, queue, pace, _, kept = run.step(*chances, now)
        late.add(kept, queue, pace, ready)
    run.sums.late = late.late()
    return tuple(
        totals_of(configuration, run.sums.of(number), len(rates))
        for number, configuration in enumerate(configurations)
    )


def _scheduled(configuration: FleetConfiguration, hours: int) -> NDArray[np.int64]:
    """Returns the fewest replicas by schedule of each step."""
    return np.repeat(configuration.fleet.scheduled_in(hours), STEPS_PER_HOUR)


def _steps(demand: StepDraws) -> zip[tuple[float, float, float, float]]:
    return zip(
        demand.arrivals.tolist(),
        demand.normal.tolist(),
        demand.uniform.tolist(),
        demand.interruption.tolist(),
        strict=True,
    )


def _hourly(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values.reshape(-1, STEPS_PER_HOUR).mean(axis=1))


def _waits(queue: NDArray[np.float64], pace: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns how long a request that comes in a step waits for a slot, in seconds.

    At the pace of that step; where nothing is ready, until something is.
    """
    steps = np.arange(len(queue))
    working = np.where(pace > 0, steps, len(queue))
    next_working = np.minimum.accumulate(working[::-1])[::-1]
    cold = (next_working - steps) * float(STEP_SECONDS)
    return np.asarray(np.divide(queue, pace, out=cold, where=pace > 0))


def _quantile(values: NDArray[np.float64], weights: NDArray[np.float64], share: float) -> float:
    """Returns the value that a share of the weights does not exceed; 0 without any weight."""
    order = np.argsort(values)
    covered = np.cumsum(weights[order])
    if not covered[-1]:
        return 0.0
    return float(values[order][np.searchsorted(covered, share * covered[-1])])
