"""How many requests per second a replica serves: measured, published, or by the roofline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from breakeven.catalog.gpus import Gpu
from breakeven.catalog.models import ModelFacts
from breakeven.cost.capacity.calibration import CalibrationClass, load_calibration
from breakeven.cost.capacity.latency import Latencies, Objective, latencies
from breakeven.cost.capacity.measurements import MeasuredPoint
from breakeven.cost.capacity.memory_fit import memory_fit
from breakeven.cost.capacity.objectives import (
    NO_OBJECTIVES,
    Objectives,
    largest_kept,
)
from breakeven.cost.capacity.roofline import Engine, RequestShape, step_times
from breakeven.cost.capacity.steady_state import Steady, nearest_measurement, steady_state
from breakeven.cost.capacity.techniques import (
    FP8_CACHE_ERROR_PERCENT,
    PLAIN,
    SPECULATION_ERROR_PERCENT,
    Techniques,
)

USER_ERROR_PERCENT = 5.0
PUBLISHED_ERROR_PERCENT = 15.0  # left when the roofline is fitted to one model: 8, 13 and 20 %
UNKNOWN_ERROR_PERCENT = 50.0  # no band: what is counted with where nothing was measured

Method: TypeAlias = Literal["own-measurement", "published-measurement", "roofline"]
"""How a capacity is known: measured by the user, published for the same engine, or computed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaCapacity:
    """What one replica serves while there is always a request waiting.

    Attributes:
        requests_per_second: Requests of the mean length.
        output_tokens_per_second: Output tokens of all requests.
        total_tokens_per_second: Input, including cached ones, and output tokens of all requests.
        low_requests_per_second: Lower end of the band.
        high_requests_per_second: Upper end of the band.
        error_percent: Half width of the band.
        concurrent_requests: Requests in flight in a steady state.
        held_requests: Requests in flight that the cache holds.
        latencies: With that many requests in flight.
        prefill_seconds: To the first token, with no queue before it and nothing else in flight.
        method: How it is known.
        measured: The published measurement that it is derived from; None for other methods.
        calibration: What the roofline was fitted to; None for other methods, and where no
            measurement of the class is published.
        bound_by: The objective that allows no more requests in flight; None if the engine or
            its memory admits no more.
        record: Name of the user's record of the measurement; empty if a setting states it.
        missed: The objective that not even a single request keeps; None if all are kept.
        cached_input_share: Share of the input that it finds in its prefix cache, 0 to 1.
    """

    requests_per_second: float
    output_tokens_per_second: float
    total_tokens_per_second: float
    low_requests_per_second: float
    high_requests_per_second: float
    error_percent: float
    concurrent_requests: int
    held_requests: int
    latencies: Latencies
    prefill_seconds: float
    method: Method
    measured: MeasuredPoint | None = None
    calibration: CalibrationClass | None = None
    bound_by: Objective | None = None
    missed: Objective | None = None
    record: str = ""
    cached_input_share: float = 0.0

    def extrapolated(self, distance: float) -> ReplicaCapacity:
        """Returns the same with the band of requests that are not quite as measured.

        Args:
            distance: 0 for those that were measured; 1 for the farthest that count, whose band is
                that of published measurements.
        """
        least = USER_ERROR_PERCENT + distance * (PUBLISHED_ERROR_PERCENT - USER_ERROR_PERCENT)
        percent = max(self.error_percent, least)
        return replace(
            self,
            error_percent=percent,
            low_requests_per_second=self.requests_per_second * (1 - percent / 100),
            high_requests_per_second=self.requests_per_second * (1 + percent / 100),
        )

    @property
    def is_unknown(self) -> bool:
        """Whether the capacity is unknown: no measurement of such an engine is published."""
        return self.method == "roofline" and self.calibration is None


class ModelDoesNotFitError(ValueError):
    """The replica's GPUs cannot hold the model and one request of the longest length."""


def replica_capacity(  # noqa: PLR0913  # one argument a setting
    model: ModelFacts,
    *,
    precision: str,
    gpu: Gpu,
    tensor_parallel: int,
    gpu_memory_utilization: float,
    max_model_length: int,
    input_tokens: int,
    output_tokens: int,
    cached_input_share: float,
    concurrency_limit: int,
    measured_output_tokens_per_second: float | None,
    pipeline_parallel: int = 1,
    adapter_bytes: int = 0,
    objectives: Objectives = NO_OBJECTIVES,
    measured_requests: int | None = None,
    techniques: Techniques = PLAIN,
) -> ReplicaCapacity:
    """Returns what one replica serves, from the best available source.

    The user's own measurement wins. Else a published one of the same engine with requests of nearly
    the same length, corrected by the roofline's ratio between its requests and these. Otherwise the
    roofline (see `roofline`).

    Requests in flight are limited by `concurrency_limit` and by the cache. A request takes cache as
    it grows, so that in a steady state it holds input + output / 2 tokens; vLLM admits as many.
    Against counting full lengths this brings a measured 1,024 / 8,192 point from -36 % to -6 %.
    Objectives limit them too: fewer in flight get their tokens faster. Where not even a single
    request keeps them, the replica runs one at a time, and `missed` says so.

    The roofline's band is that of its class (`calibration`), at most 35%. Where no measurement of
    the class is published the capacity is unknown: `UNKNOWN_ERROR_PERCENT` only keeps a range.

    Args:
        model: The model.
        precision: Of its weights, one of `models.PRECISION_BYTES`; see `Gpu.compute_tera` for
            GPUs without units for it.
        gpu: Each of the GPUs.
        tensor_parallel: GPUs of the replica, 1 or more.
        gpu_memory_utilization: Share of the GPU's memory that vLLM may use, over 0 to 1.
        max_model_length: Longest request, input and output, in tokens.
        input_tokens: Input of a mean request, including cached ones, 1 or more.
        output_tokens: Output of a mean request, 1 or more; 1 for a model that only reads.
        cached_input_share: Share of the input found in the prefix cache, 0 to 1; it saves compute,
            and is not counted as saving memory.
        concurrency_limit: Most requests in flight that the engine admits, 1 or more.
        measured_output_tokens_per_second: The user's own figure for a saturated replica, over 0; of
            a model that only reads the texts a second.
        pipeline_parallel: Nodes of the replica, each with `tensor_parallel` GPUs.
        adapter_bytes: As in `memory_fit`; their own work is not counted.
        objectives: Latencies to keep.
        measured_requests: Requests in flight of the user's own measurement, at most as many as the
            cache holds; None for `concurrency_limit`. Fewer serve less by the roofline's ratio.
        techniques: How the engine departs from plain serving. A published measurement is of plain
            serving: the roofline's ratio between both is applied, and the band is wider.

    Raises:
        ModelDoesNotFitError: Not one request of `max_model_length` fits, and nothing was measured.
        ValueError: The precision is not known.
    """
    engine = Engine(
        model=model,
        precision=precision,
        gpu=gpu,
        tensor_parallel=tensor_parallel,
        pipeline_parallel=pipeline_parallel,
        techniques=techniques,
    )
    request = RequestShape(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_input_tokens=input_tokens * cached_input_share,
    )
    fit = memory_fit(
        engine,
        gpu_memory_utilization=gpu_memory_utilization,
        max_model_length=max_model_length,
        request_tokens=input_tokens + output_tokens,
        adapter_bytes=adapter_bytes,
    )
    measured = measured_output_tokens_per_second
    if not fit.fits and measured is None:
        msg = f"{model.name} in {precision} does not fit {engine.gpus} x {gpu.name}"
        raise ModelDoesNotFitError(msg)
    cache = fit.key_value_gib

    def at(limit: int) -> ReplicaCapacity:
        steady = steady_state(engine, cache, request, limit)
        if measured is None:
            return _known(engine, steady)
        full = steady_state(engine, cache, request, measured_requests or concurrency_limit)
        # What more in flight than measured would serve is not known to be more.
        ratio = min(steady.output_tokens_per_second / full.output_tokens_per_second, 1.0)
        is_measured = steady.concurrency >= full.concurrency
        error = USER_ERROR_PERCENT if is_measured else PUBLISHED_ERROR_PERCENT
        return _capacity(engine, steady, measured * ratio, "own-measurement", error)

    return _within(objectives, at(concurrency_limit), at)


def _within(
    objectives: Objectives, full: ReplicaCapacity, at: Callable[[int], ReplicaCapacity]
) -> ReplicaCapacity:
    """Returns the capacity with as many requests in flight as keep the objectives."""
    bound_by = objectives.missed(full.latencies)
    if bound_by is None:
        return full
    kept = largest_kept(
        full.concurrent_requests, lambda batch: objectives.missed(at(batch).latencies) is None
    )
    found = at(max(kept, 1))
    return replace(found, bound_by=bound_by, missed=objectives.missed(found.latencies))


def _known(engine: Engine, steady: Steady) -> ReplicaCapacity:
    """Returns what is published about an engine, or its roofline."""
    reference = nearest_measurement(engine, steady)
    roofline = steady.output_tokens_per_second
    wider = _technique_error(engine, steady)
    if reference is None:
        found = class_of(engine)
        if found is None:
            return _capacity(engine, steady, roofline, "roofline", UNKNOWN_ERROR_PERCENT)
        output = roofline * found.factor
        capacity = _capacity(engine, steady, output, "roofline", found.band_percent + wider)
        return replace(capacity, calibration=found)
    point = reference.measured
    output = point.output_tokens_per_second * roofline / reference.steady.output_tokens_per_second
    error = PUBLISHED_ERROR_PERCENT + wider
    capacity = _capacity(engine, steady, output, "published-measurement", error)
    return replace(capacity, measured=point)


def _technique_error(engine: Engine, steady: Steady) -> float:
    """Returns what techniques add to the half width of the band, in percent."""
    techniques = engine.techniques
    error = FP8_CACHE_ERROR_PERCENT if techniques.holds_cache_smaller(engine.model) else 0.0
    speculation, apart = techniques.speculation, [0.0]
    if speculation is not None:
        for acceptance in (speculation.low_acceptance, speculation.high_acceptance):
            other = replace(speculation, acceptance=acceptance)
            changed = replace(engine, techniques=replace(techniques, speculation=other))
            times = step_times(changed, steady.request, steady.concurrency)
            output = times.output_tokens_per_second(
                steady.concurrency, steady.request.output_tokens
            )
            apart.append(abs(output / steady.output_tokens_per_second - 1) * 100)
        error += SPECULATION_ERROR_PERCENT
    return error + max(apart)


def class_of(engine: Engine) -> CalibrationClass | None:
    """Returns the class whose measurements speak for an engine.

    None for none, for several nodes, where each GPU has requests of its own, and for models that
    only read: all measurements are of models that write.
    """
    spread = engine.pipeline_parallel > 1 or engine.techniques.data_attention
    if spread or not engine.model.generates:
        return None
    return load_calibration().class_of(engine.model, engine.gpu, engine.tensor_parallel)


def _capacity(
    engine: Engine,
    steady: Steady,
    output_per_second: float,
    method: Method,
    error_percent: float,
) -> ReplicaCapacity:
    request, times = steady.request, steady.times
    # A measurement that is faster than the roofline is so in prompts and steps alike, as far as is
    # known; latencies follow, and requests in flight stay rate x time in flight.
    slower = steady.output_tokens_per_second / output_per_second
    rate = output_per_second / request.output_tokens
    written = request.output_tokens if engine.model.generates else 0
    error = error_percent / 100
    return ReplicaCapacity(
        requests_per_second=rate,
        output_tokens_per_second=rate * written,
        total_tokens_per_second=rate * (request.input_tokens + written),
        low_requests_per_second=rate * (1 - error),
        high_requests_per_second=rate * (1 + error),
        error_percent=error_percent,
        concurrent_requests=steady.concurrency,
        held_requests=steady.held,
        latencies=latencies(engine, request, steady.concurrency, times).slower(slower),
        prefill_seconds=times.first_token * slower,
        method=method,
        cached_input_share=request.cached_input_tokens / request.input_tokens,
    )
