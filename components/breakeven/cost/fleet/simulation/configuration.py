"""What is simulated: how fast replicas answer, and the rules by which they come and go."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.capacity.roofline import Engine, RequestShape, step_times
from breakeven.cost.fleet.plan import Fleet
from breakeven.cost.fleet.simulation.prompt_times import PromptTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaSpeed:
    """How one replica answers.

    A request holds a slot for `seconds(batch)` on average, with exponentially distributed output
    (coefficient of variation 1; 0.77 and 2.1 in the two Azure traces of 2023).

    Attributes:
        slots: Requests that the engine runs at once, 1 or more; more of them wait.
        seconds_alone: Mean time of a request that runs by itself, over 0.
        seconds_full: Mean time of a request while all slots are taken, `seconds_alone` or more.
        first_token_seconds: To the first token, with no queue before it.
        planned_requests_per_second: What the plan counts as a full replica's work, over 0.
        prompts: Times of prompts of several lengths; None if all take `first_token_seconds`.
    """

    slots: int
    seconds_alone: float
    seconds_full: float
    first_token_seconds: float
    planned_requests_per_second: float
    prompts: PromptTimes | None = None

    @property
    def seconds_per_neighbour(self) -> float:
        """What each further request in flight adds to the time of all."""
        return (self.seconds_full - self.seconds_alone) / max(self.slots - 1, 1)

    def slower(self, factor: float) -> ReplicaSpeed:
        """Returns a replica that is slower by a factor."""
        return replace(
            self,
            seconds_alone=self.seconds_alone * factor,
            seconds_full=self.seconds_full * factor,
            first_token_seconds=self.first_token_seconds * factor,
            planned_requests_per_second=self.planned_requests_per_second / factor,
            prompts=None if self.prompts is None else self.prompts.slower(factor),
        )

    def seconds(self, batch: float) -> float:
        """Returns the mean time of a request with `batch` in flight; a line between both ends.

        The roofline's step grows so: by the cache and the prompt of each request.
        """
        return self.seconds_alone + self.seconds_per_neighbour * (
            min(max(batch, 1.0), self.slots) - 1
        )


def speed_of(
    capacity: ReplicaCapacity, engine: Engine, request: RequestShape, slots: int
) -> ReplicaSpeed:
    """Derives how a replica answers from what it is planned to serve.

    At the planned requests in flight it serves what the estimate says (requests in flight / rate =
    prefill + output x time between tokens); fewer or more are quicker or slower as by the roofline.

    Args:
        capacity: The plan.
        engine: Model and GPUs of the replica.
        request: A mean request.
        slots: Requests that the engine runs at once, 1 or more.
    """
    planned = capacity.concurrent_requests
    slower = planned / capacity.requests_per_second / _roofline_seconds(engine, request, planned)
    alone = slower * _roofline_seconds(engine, request, 1)
    return ReplicaSpeed(
        slots=slots,
        seconds_alone=alone,
        seconds_full=max(alone, slower * _roofline_seconds(engine, request, slots)),
        first_token_seconds=capacity.prefill_seconds,
        planned_requests_per_second=capacity.requests_per_second,
    )


def _roofline_seconds(engine: Engine, request: RequestShape, batch: int) -> float:
    times = step_times(engine, request, batch)
    return request.output_tokens * times.decode + batch * times.prefill


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetConfiguration:
    """A fleet and everything that decides how it follows the load.

    Attributes:
        fleet: Bounds, nodes, start and scale-down times. `lowest` may be 0 here.
        speed: How a replica answers.
        target_requests: In flight per replica, running and waiting, that scaling aims at.
        target_waiting: Waiting per replica that scaling aims at.
        growth_seconds: Period within which replicas may double, 15 or more.
        node_start_seconds: Share of `fleet.start_seconds` that only a new node takes.
        grace_seconds: From the decision to stop a replica to its kill, if requests still run then.
        objective_seconds: To the first token; requests beyond it miss the objective.
        interruptions_per_node_hour: Spot interruptions of a node, 0 for none.
        overflow_requests: In flight per ready replica from which on a gateway sends requests to an
            API; infinity where there is none.
    """

    fleet: Fleet
    speed: ReplicaSpeed
    target_requests: int
    target_waiting: int
    growth_seconds: float
    node_start_seconds: float
    grace_seconds: float
    objective_seconds: float
    interruptions_per_node_hour: float = 0.0
    overflow_requests: float = math.inf
