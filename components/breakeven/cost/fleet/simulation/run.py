"""One run of the rules: the state between two steps, and the sums over them."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.cost.fleet.simulation.arithmetic import Arithmetic, Number
from breakeven.cost.fleet.simulation.autoscaler import Autoscaler
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS, STEPS_PER_HOUR
from breakeven.cost.fleet.simulation.nodes import Nodes
from breakeven.cost.fleet.simulation.parameters import NO_OVERFLOW, Parameters
from breakeven.cost.fleet.simulation.requests import Requests
from breakeven.cost.fleet.simulation.result import WeekTotals


@dataclass(slots=True, kw_only=True)
class Sums:
    """Sums over steps."""

    before: Number
    left: Number
    came: Number
    ended: Number
    late: Number
    cold: Number
    diverted: Number
    waiting: Number
    nodes: Number
    replicas: Number
    peak: Number
    replica_starts: Number
    node_starts: Number

    def of(self, number: int) -> Sums:
        """Returns the sums of one configuration of many."""
        return Sums(**{name: getattr(self, name)[number] for name in self.__slots__})


class Run:
    """The state between two steps."""

    def __init__(
        self,
        parameters: Parameters,
        arithmetic: Arithmetic,
        first_rate: Number,
        scheduled: Number,
    ) -> None:
        minimum, maximum, ceil = arithmetic.minimum, arithmetic.maximum, arithmetic.ceil
        self._parameters = parameters
        self._arithmetic = arithmetic
        # It begins in balance with its first hour.
        batch = minimum(parameters.target_requests, parameters.slots)
        seconds = parameters.seconds_alone + parameters.seconds_per_neighbour * (batch - 1)
        in_flight = ceil(first_rate * seconds)
        fewest = maximum(parameters.lowest, scheduled)
        replicas = minimum(
            maximum(ceil(in_flight / parameters.target_requests), fewest), parameters.highest
        )
        self._autoscaler = Autoscaler(parameters, arithmetic, replicas)
        self._nodes = Nodes(parameters, arithmetic, replicas)
        self._requests = Requests(parameters, arithmetic, in_flight, replicas)
        self._came = in_flight * 0.0
        self._overflows = arithmetic.any(parameters.overflow_requests < NO_OVERFLOW)
        self.restart()

    def restart(self) -> None:
        """Starts the sums again, from the present state."""
        in_flight, replicas = self._requests.in_flight, self._autoscaler.replicas
        nothing = replicas * 0.0
        self.sums = Sums(
            before=in_flight, left=in_flight, came=nothing, ended=nothing, late=nothing,
            cold=nothing, diverted=nothing, waiting=nothing, nodes=nothing, replicas=nothing,
            peak=replicas, replica_starts=nothing, node_starts=nothing,
        )  # fmt: skip

    def step(
        self,
        arrivals: Number,
        normal: Number,
        uniform: Number,
        interruption: Number,
        scheduled: Number,
    ) -> tuple[Number, ...]:
        """Moves on.

        Args:
            arrivals: Requests that come.
            normal: Of chance.
            uniform: Of chance.
            interruption: Of chance.
            scheduled: Fewest replicas by the schedule in this step; 0 for none.

        Returns:
            Replicas, ready ones, nodes paid, requests before one that comes now, how many of them
            get a slot in a second, requests ended, and requests that no gateway sends on.
        """
        maximum, rules, requests = self._arithmetic.maximum, self._parameters, self._requests
        before, nodes_before = self._autoscaler.replicas, self._nodes.nodes
        waiting, queue = requests.waiting, requests.queue
        replicas = self._autoscaler.step(requests.in_flight, waiting, self._came, scheduled)
        self._came = arrivals
        self._nodes.step(replicas, requests.leaving, interruption)
        ready, nodes = self._nodes.ready, self._nodes.paid
        ended = requests.step(ready, self._nodes.draining, arrivals, normal, uniform)
        diverted = requests.divert(ready) if self._overflows else arrivals * 0

        # Halfway between both ends of the step.
        queue = (queue + requests.queue) / 2
        pace = requests.queue_slots / rules.seconds_full
        sums = self.sums
        # What a gateway sends on is the API's; more than came in this step, where a node is lost.
        kept = maximum(arrivals - diverted, 0)
        sums.diverted = sums.diverted + diverted
        sums.cold = sums.cold + arrivals * (ready == 0)
        sums.came = sums.came + arrivals
        sums.ended = sums.ended + ended
        sums.waiting = sums.waiting + (waiting + requests.waiting) / 2
        sums.nodes = sums.nodes + nodes
        sums.replicas = sums.replicas + replicas
        sums.peak = maximum(sums.peak, replicas)
        sums.replica_starts = sums.replica_starts + maximum(replicas - before, 0)
        sums.node_starts = sums.node_starts + maximum(self._nodes.nodes - nodes_before, 0)
        sums.left = requests.in_flight
        return replicas, ready, nodes, queue, pace, ended, kept


def totals_of(configuration: FleetConfiguration, sums: Sums, hours: int) -> WeekTotals:
    """Returns what the sums of one configuration over some hours say."""
    fleet, speed = configuration.fleet, configuration.speed
    steps = hours * STEPS_PER_HOUR
    node_hours = float(sums.nodes) / STEPS_PER_HOUR
    could = node_hours * 3600 * fleet.replicas_per_node * speed.planned_requests_per_second
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
        cold_share=float(sums.cold) / came if came else 0.0,
        overflow_share=min(float(sums.diverted) / came, 1.0) if came else 0.0,
    )
