"""The roofline of an engine in a steady state, and the measurement that is nearest to it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from breakeven.cost.capacity.measurements import MeasuredPoint, comparable_points, within_factor
from breakeven.cost.capacity.memory_fit import cache_gib, requests_held
from breakeven.cost.capacity.roofline import Engine, RequestShape, StepTimes, step_times
from breakeven.cost.capacity.techniques import PLAIN

CONCURRENCY_FACTOR = 1.5
"""A published measurement counts if its requests in flight differ by no more than this factor."""

_USUAL_UTILIZATION = 0.9  # vLLM's default; publications seldom state it


@dataclass(frozen=True, slots=True)
class Steady:
    """The roofline in a steady state.

    Attributes:
        request: The mean request.
        concurrency: Requests in flight.
        held: Requests in flight that the cache would hold.
        times: Of a step, and of a prompt, with that many in flight.
    """

    request: RequestShape
    concurrency: int
    held: int
    times: StepTimes

    @property
    def output_tokens_per_second(self) -> float:
        """Output tokens per second of all requests in flight."""
        return self.times.output_tokens_per_second(self.concurrency, self.request.output_tokens)


@dataclass(frozen=True, slots=True)
class Reference:
    """A measurement and the roofline for it."""

    measured: MeasuredPoint
    steady: Steady


def steady_state(engine: Engine, cache: float, request: RequestShape, limit: int) -> Steady:
    """Returns the steady state with as many requests as the limit and the cache (GiB) allow."""
    held = max(1, math.floor(requests_held(engine, cache, request.mean_context)))
    concurrency = min(limit, held)
    return Steady(request, concurrency, held, step_times(engine, request, concurrency))


def nearest_measurement(engine: Engine, steady: Steady) -> Reference | None:
    """Returns the published measurement of the same engine that is nearest to a steady state."""
    if engine.techniques.data_attention:
        return None
    plain = replace(engine, techniques=PLAIN)
    cache = cache_gib(plain, _USUAL_UTILIZATION)
    references = (
        Reference(point, steady_state(plain, cache, point.request, point.concurrency))
        for point in comparable_points(plain, steady.request)
    )
    comparable = [
        reference
        for reference in references
        if within_factor(steady.concurrency, reference.steady.concurrency, CONCURRENCY_FACTOR)
    ]
    return min(comparable, key=lambda near: _distance(steady, near.steady), default=None)


def _distance(one: Steady, other: Steady) -> float:
    pairs = (
        (one.request.input_tokens, other.request.input_tokens),
        (one.request.output_tokens, other.request.output_tokens),
        (one.concurrency, other.concurrency),
    )
    return sum(abs(math.log(a / b)) for a, b in pairs)
