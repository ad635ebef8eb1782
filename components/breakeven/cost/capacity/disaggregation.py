"""What prefill and decode serve on separate replicas, and what the way between them adds.

A decode replica works on no prompts: its steps take what the roofline's decode term says, so that
an objective for the time between tokens allows more requests in flight. A prefill replica works on
one prompt after the other; prompts start at random and have exponential lengths (`latency`), a
queue with one server, in which the time until a prompt is done is exponential as well. Then the
KV cache of the prompt goes to a decode replica, which sends the first token.

Both groups serve what the smaller one does. vLLM's documentation says that this does not raise
throughput; it pays where replicas that do both run fewer requests than memory holds, because
prompts delay their tokens. No measurement of disaggregated replicas is in the catalog.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from breakeven.cost.capacity.capacity import (
    UNKNOWN_ERROR_PERCENT,
    ModelDoesNotFitError,
    ReplicaCapacity,
    class_of,
)
from breakeven.cost.capacity.latency import Latencies, Objective
from breakeven.cost.capacity.memory_fit import memory_fit
from breakeven.cost.capacity.objectives import Objectives, largest_kept
from breakeven.cost.capacity.roofline import Engine, RequestShape, step_times
from breakeven.cost.capacity.steady_state import steady_state
from breakeven.cost.fleet.simulation.result import OBJECTIVE_SHARE

HANDOVER_SECONDS = 0.17
"""From the end of a prompt to its first token at the client, without the transfer itself.

vLLM pull request 51919 (2026-08-12): 197 ms in the median for three prefill replicas and one that
decodes, 29 ms of it transfer. The rest is dispatch, waiting for a step, and a token that the decode
replica computes again.
"""

LINK_EFFICIENCY = 0.8  # of its bits a second; assumed, as for nodes of one replica

DISAGGREGATION_ERROR_PERCENT = 20.0
"""Added to the band. Assumed: no measurement is compared with this estimate."""

FULLEST = 0.98
"""Most of its time in which a prefill replica works; with more, its queue would not end."""

_TAIL = -math.log(1 - OBJECTIVE_SHARE)  # an exponential time is longer than so many means: 5%


@dataclass(frozen=True, slots=True, kw_only=True)
class Disaggregation:
    """Two groups of replicas and the network between them.

    Attributes:
        prefill: Replicas that only process prompts, 1 or more.
        decode: Replicas that only generate, 1 or more.
        link_gigabits_per_second: Of each replica, over 0.
    """

    prefill: int
    decode: int
    link_gigabits_per_second: float

    @property
    def replicas(self) -> int:
        """Of both groups."""
        return self.prefill + self.decode

    def transfer_seconds(self, engine: Engine, tokens: float) -> float:
        """Returns how long the KV cache of a prompt takes from one replica to another."""
        transferred = engine.model.request_bytes(
            tokens,
            tensor_parallel=engine.cache_parallel,
            bytes_per_element=engine.techniques.cache_bytes,
        )
        return transferred / (self.link_gigabits_per_second * 1e9 / 8 * LINK_EFFICIENCY)


def speed_factor(engine: Engine) -> float:
    """Returns by how much measurements of the engine's class are faster than its roofline."""
    found = class_of(engine)
    return found.factor if found else 1.0


def prompt_seconds(engine: Engine, request: RequestShape) -> float:
    """Returns how long a mean prompt occupies a prefill replica, its share of steps included."""
    times = step_times(engine, request, 1)
    new_tokens = max(request.input_tokens - request.cached_input_tokens, 1.0)
    share = new_tokens / engine.batched_tokens
    return (times.prefill + share * times.decode) / speed_factor(engine)


def decode_seconds(engine: Engine, request: RequestShape, batch: int) -> float:
    """Returns how long a step of a decode replica takes with so many requests in flight."""
    return step_times(engine, request, batch).decode / speed_factor(engine)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRates:
    """Requests a second of one replica of each group, within the objectives.

    Attributes:
        prefill: Of a prefill replica.
        decode: Of a decode replica.
        batch: Requests in flight on a full decode replica.
        held: Requests that the cache of a decode replica holds.
        missed: The objective that not even a single request keeps; None where all are kept.
    """

    prefill: float
    decode: float
    batch: int
    held: int
    missed: Objective | None

    def together(self, groups: Disaggregation) -> float:
        """Returns the requests a second of both groups: what the smaller one serves."""
        return min(groups.prefill * self.prefill, groups.decode * self.decode)


def group_rates(  # noqa: PLR0913  # one argument a setting
    engine: Engine,
    request: RequestShape,
    groups: Disaggregation,
    *,
    gpu_memory_utilization: float,
    max_model_length: int,
    concurrency_limit: int,
    objectives: Objectives,
) -> GroupRates:
    """Returns what a replica of each group serves; arguments as in `disaggregated_capacity`.

    Raises:
        ModelDoesNotFitError: Not one request of `max_model_length` fits.
    """
    fit = memory_fit(
        engine,
        gpu_memory_utilization=gpu_memory_utilization,
        max_model_length=max_model_length,
        request_tokens=request.input_tokens + request.output_tokens,
    )
    if not fit.fits:
        msg = f"{engine.model.name} in {engine.precision} does not fit {engine.gpus} GPUs"
        raise ModelDoesNotFitError(msg)
    steady = steady_state(engine, fit.key_value_gib, request, concurrency_limit)
    kept = largest_kept(
        steady.concurrency,
        lambda batch: decode_seconds(engine, request, batch) <= objectives.inter_token_seconds,
    )
    batch = max(kept, 1)
    transfer = groups.transfer_seconds(engine, request.input_tokens)
    seconds = prompt_seconds(engine, request)
    after = _after_prompts(engine, request, groups)
    left = objectives.first_token_seconds - after
    busy = min(FULLEST, 1 - _TAIL * seconds / left) if left > 0 else 0.0
    in_time = busy > 0
    if not in_time:  # a prompt at a time
        busy = seconds / (seconds + after)
    missed: Objective | None = None if in_time else "first-token"
    return GroupRates(
        prefill=min(busy / seconds, 1 / transfer),
        decode=min(_decode_rate(engine, request, batch), 1 / transfer),
        batch=batch,
        held=steady.held,
        missed=missed if kept else "inter-token",
    )


def disaggregated_capacity(  # noqa: PLR0913  # one argument a setting
    engine: Engine,
    request: RequestShape,
    groups: Disaggregation,
    *,
    gpu_memory_utilization: float,
    max_model_length: int,
    concurrency_limit: int,
    objectives: Objectives,
) -> ReplicaCapacity:
    """Returns what the mean replica of both groups serves, so that all serve their number times it.

    Args:
        engine: Model and GPUs of each replica.
        request: A mean request.
        groups: Both groups.
        gpu_memory_utilization: Share of the GPU's memory that vLLM may use, over 0 to 1.
        max_model_length: Longest request, input and output, in tokens.
        concurrency_limit: Most requests in flight that a replica admits, 1 or more.
        objectives: Latencies to keep.

    Raises:
        ModelDoesNotFitError: Not one request of `max_model_length` fits.
    """
    rates = group_rates(
        engine,
        request,
        groups,
        gpu_memory_utilization=gpu_memory_utilization,
        max_model_length=max_model_length,
        concurrency_limit=concurrency_limit,
        objectives=objectives,
    )
    together = rates.together(groups)
    batch = _batch(engine, request, together / groups.decode, rates.batch)
    step, seconds = decode_seconds(engine, request, batch), prompt_seconds(engine, request)
    waited = seconds / (1 - together / groups.prefill * seconds)
    transfer = groups.transfer_seconds(engine, request.input_tokens)
    first = step_times(engine, request, 1).first_token / speed_factor(engine)
    rate = together / groups.replicas
    flight = waited + transfer + HANDOVER_SECONDS + request.output_tokens * step
    found = class_of(engine)
    error = DISAGGREGATION_ERROR_PERCENT
    error += UNKNOWN_ERROR_PERCENT if found is None else found.band_percent
    return ReplicaCapacity(
        requests_per_second=rate,
        output_tokens_per_second=rate * request.output_tokens,
        total_tokens_per_second=rate * (request.input_tokens + request.output_tokens),
        low_requests_per_second=rate * (1 - error / 100),
        high_requests_per_second=rate * (1 + error / 100),
        error_percent=error,
        concurrent_requests=max(1, round(rate * flight)),
        held_requests=max(1, groups.decode * rates.held // groups.replicas),
        latencies=Latencies(
            inter_token=step,
            inter_token_p95=step,
            first_token_p95=_TAIL * waited + _after_prompts(engine, request, groups),
        ),
        prefill_seconds=first + transfer + HANDOVER_SECONDS,
        method="roofline",
        calibration=found,
        missed=rates.missed,
        cached_input_share=request.cached_input_tokens / request.input_tokens,
    )


def _after_prompts(engine: Engine, request: RequestShape, groups: Disaggregation) -> float:
    """Returns what a first token waits for apart from prompts: steps, transfer, handover.

    The transfer is that of a prompt which only 5% exceed.
    """
    new_tokens = max(request.input_tokens - request.cached_input_tokens, 1.0)
    steps = math.ceil(new_tokens / engine.batched_tokens) + 1
    transfer = _TAIL * groups.transfer_seconds(engine, request.input_tokens)
    return steps * decode_seconds(engine, request, 1) + transfer + HANDOVER_SECONDS


def _decode_rate(engine: Engine, request: RequestShape, batch: int) -> float:
    """Returns the requests a second of a decode replica with so many in flight."""
    return batch / (request.output_tokens * decode_seconds(engine, request, batch))


def _batch(engine: Engine, request: RequestShape, rate: float, most: int) -> int:
    """Returns the fewest requests in flight with which a decode replica serves a rate."""
    few = largest_kept(most, lambda batch: _decode_rate(engine, request, batch) < rate)
    return min(few + 1, most)
