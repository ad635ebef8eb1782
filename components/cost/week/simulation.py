"""Runs the week, a step at a time: requests come and end, the autoscaler looks, nodes follow.

Requests are counted, not followed, so time grows with the hours and not with the requests.
docs/simulation.md states how far it is from a simulation of each request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.cost.week.arithmetic import MANY, ONE, Arithmetic, Quantity
from components.cost.week.autoscaler import Autoscaler
from components.cost.week.configuration import Configuration
from components.cost.week.demand import STEP_SECONDS, STEPS_PER_HOUR, Demand, draw
from components.cost.week.nodes import Nodes
from components.cost.week.parameters import Parameters, parameters_of, stacked
from components.cost.week.requests import Requests
from components.cost.week.result import Hours, Week, WeekTotals


def simulate_week(
    rates: NDArray[np.float64], burst_factor: float, configuration: Configuration, seed: int
) -> Week:
    """Simulates one configuration.

    Args:
        rates: Mean request rate of each hour, in requests a second, 0 or more.
        burst_factor: Peak minute of an hour over its mean, 1 to below 60.
        configuration: What answers.
        seed: Of the draws, 0 or more; the same seed gives the same week.

    Raises:
        DemandError: A rate or the burst factor is beyond its range.
    """
    demand = draw(rates, burst_factor, seed)
    run = _Run(parameters_of(configuration), ONE, float(rates[0]))
    steps = np.asarray([run.step(*chances) for chances in _steps(demand)])
    replicas, ready, nodes, queue, pace, ended = steps.T
    served = (
        configuration.service.planned_requests_per_second * configuration.fleet.replicas_per_node
    )
    busy = _hourly(ended) / STEP_SECONDS / served
    return Week(
        totals=_totals(configuration, run.sums, len(rates)),
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
    configurations: Sequence[Configuration],
    seed: int,
) -> tuple[WeekTotals, ...]:
    """Simulates many configurations under the same load and the same draws, as arrays.

    The totals are those of `simulate_week`. A thousand configurations take some fifteen
    milliseconds each, one alone takes four hundred (bench/week_simulation.py).

    Raises:
        DemandError: A rate or the burst factor is beyond its range.
    """
    demand = draw(rates, burst_factor, seed)
    run = _Run(stacked([parameters_of(one) for one in configurations]), MANY, float(rates[0]))
    for chances in _steps(demand):
        run.step(*chances)
    return tuple(
        _totals(configuration, run.sums.of(number), len(rates))
        for number, configuration in enumerate(configurations)
    )


def _steps(demand: Demand) -> zip[tuple[float, float, float, float]]:
    return zip(
        demand.arrivals.tolist(),
        demand.normal.tolist(),
        demand.uniform.tolist(),
        demand.interruption.tolist(),
        strict=True,
    )


@dataclass(slots=True, kw_only=True)
class _Sums:
    """Sums over steps."""

    before: Quantity
    left: Quantity
    came: Quantity
    ended: Quantity
    late: Quantity
    waiting: Quantity
    nodes: Quantity
    replicas: Quantity
    peak: Quantity
    replica_starts: Quantity
    node_starts: Quantity

    def of(self, number: int) -> _Sums:
        """Returns the sums of one configuration of many."""
        return _Sums(**{name: getattr(self, name)[number] for name in self.__slots__})


class _Run:
    """The state between two steps."""

    def __init__(self, parameters: Parameters, arithmetic: Arithmetic, first_rate: float) -> None:
        least, most, up = arithmetic.least, arithmetic.most, arithmetic.up
        self._parameters = parameters
        self._arithmetic = arithmetic
        # It begins in balance with its first hour.
        batch = least(parameters.target_requests, parameters.slots)
        seconds = parameters.seconds_alone + parameters.seconds_per_neighbour * (batch - 1)
        in_flight = up(first_rate * seconds)
        replicas = least(
            most(up(in_flight / parameters.target_requests), parameters.lowest), parameters.highest
        )
        self._autoscaler = Autoscaler(parameters, arithmetic, replicas)
        self._nodes = Nodes(parameters, arithmetic, replicas)
        self._requests = Requests(parameters, arithmetic, in_flight, replicas)
        nothing = replicas * 0.0
        self.sums = _Sums(
            before=in_flight, left=in_flight, came=nothing, ended=nothing, late=nothing,
            waiting=nothing, nodes=nothing, replicas=nothing, peak=replicas,
            replica_starts=nothing, node_starts=nothing,
        )  # fmt: skip

    def step(
        self, arrivals: float, normal: float, uniform: float, interruption: float
    ) -> tuple[Quantity, ...]:
        """Moves on.

        Returns:
            Replicas, ready ones, nodes paid, requests before one that comes now, how many of them
            get a slot in a second, and requests ended.
        """
        most, rules, requests = self._arithmetic.most, self._parameters, self._requests
        before, nodes_before = self._autoscaler.replicas, self._nodes.nodes
        waiting, queue = requests.waiting, requests.queue
        replicas = self._autoscaler.step(requests.in_flight, waiting)
        self._nodes.step(replicas, requests.leaving, interruption)
        ready, nodes = self._nodes.ready, self._nodes.paid
        ended = requests.step(ready, self._nodes.draining, arrivals, normal, uniform)

        # Halfway between both ends of the step; with nothing ready nothing is answered in time.
        queue = (queue + requests.queue) / 2
        pace = requests.queue_slots / rules.seconds_full
        late = (queue > rules.patience_seconds * pace) | (pace == 0)
        sums = self.sums
        sums.late = sums.late + arrivals * late
        sums.came = sums.came + arrivals
        sums.ended = sums.ended + ended
        sums.waiting = sums.waiting + (waiting + requests.waiting) / 2
        sums.nodes = sums.nodes + nodes
        sums.replicas = sums.replicas + replicas
        sums.peak = most(sums.peak, replicas)
        sums.replica_starts = sums.replica_starts + most(replicas - before, 0)
        sums.node_starts = sums.node_starts + most(self._nodes.nodes - nodes_before, 0)
        sums.left = requests.in_flight
        return replicas, ready, nodes, queue, pace, ended


def _totals(configuration: Configuration, sums: _Sums, hours: int) -> WeekTotals:
    fleet, service = configuration.fleet, configuration.service
    steps = hours * STEPS_PER_HOUR
    node_hours = float(sums.nodes) / STEPS_PER_HOUR
    could = node_hours * 3600 * fleet.replicas_per_node * service.planned_requests_per_second
    came = float(sums.came)
    return WeekTotals(
        hours=float(hours),
        node_hours=node_hours,
        gpu_hours=node_hours * fleet.gpus_per_node,
        busy_share=min(float(sums.ended) / could, 1.0) if could else 0.0,
        mean_replicas=float(sums.replicas) / steps,
        peak_replicas=int(sums.peak),
        replica_starts=int(sums.replica_starts),
        node_starts=int(sums.node_starts),
        requests=int(came),
        served=int(sums.ended),
        in_flight_at_start=int(sums.before),
        in_flight_at_end=int(sums.left),
        mean_queueing_seconds=float(sums.waiting) * STEP_SECONDS / came if came else 0.0,
        objective_share=1 - float(sums.late) / came if came else 1.0,
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
