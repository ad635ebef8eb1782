"""How fast replicas answer where some process prompts and the others generate.

The simulation knows one kind of replica: here the mean of both groups. All of them together have
the slots, the times, and the rate of both groups. Prompts wait in front of the prefill replicas
only, each of which gets more of them than the mean replica.
"""

from __future__ import annotations

import math
from dataclasses import replace

from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.capacity.disaggregation import (
    FULLEST,
    HANDOVER_SECONDS,
    Disaggregation,
    decode_seconds,
    prompt_seconds,
    speed_factor,
)
from breakeven.cost.capacity.memory_fit import memory_fit
from breakeven.cost.capacity.roofline import Engine
from breakeven.cost.demand.load import Load
from breakeven.cost.fleet.simulation.configuration import ReplicaSpeed
from breakeven.cost.fleet.simulation.prompt_times import PromptTimes
from breakeven.cost.fleet.simulation.replica_speed import mean_request, prompt_times


def disaggregated_speed(  # noqa: PLR0913  # one argument a setting
    engine: Engine,
    load: Load,
    planned: ReplicaCapacity,
    groups: Disaggregation,
    *,
    gpu_memory_utilization: float,
    max_model_length: int,
    largest_batch: int,
) -> ReplicaSpeed:
    """Returns how the mean replica of both groups answers; arguments as in `replica_speed`.

    Args:
        engine: Model and GPUs of a replica.
        load: Its requests.
        planned: What the mean replica is planned to serve.
        groups: Both groups.
        gpu_memory_utilization: Share of the GPU's memory that vLLM may use, over 0 to 1.
        max_model_length: Longest request, input and output, in tokens.
        largest_batch: Most requests that a replica runs at once.
    """
    request = mean_request(load)
    fit = memory_fit(
        engine,
        gpu_memory_utilization=gpu_memory_utilization,
        max_model_length=max_model_length,
        request_tokens=round(request.mean_context),
    )
    batch = max(1, min(fit.concurrent_requests, largest_batch))
    prompts = _prompts(engine, load, groups, max_model_length)
    first = sum(prompts.alone) / len(prompts.alone)
    alone = first + load.steps * decode_seconds(engine, request, 1)
    generated = load.steps * decode_seconds(engine, request, batch)
    fastest = min(
        groups.prefill * FULLEST / prompt_seconds(engine, request),
        groups.decode * batch / generated,
    )
    full = max(alone, first + generated)
    # In flight are those that generate, those whose prompt is worked on, and those in between.
    slots = max(1, math.ceil(fastest / groups.replicas * full))
    return ReplicaSpeed(
        slots=slots,
        seconds_alone=alone,
        seconds_full=max(alone, slots * groups.replicas / fastest),
        first_token_seconds=planned.prefill_seconds,
        planned_requests_per_second=planned.requests_per_second,
        prompts=prompts,
    )


def _prompts(
    engine: Engine, load: Load, groups: Disaggregation, max_model_length: int
) -> PromptTimes:
    """Returns the times of prompts on a prefill replica, which has nothing else in its steps."""
    plain = prompt_times(engine, load, 1, max_model_length).slower(1 / speed_factor(engine))
    alone = []
    lengths = zip(load.input_lengths, plain.alone, plain.work, plain.steps, strict=True)
    for relative, first, work, steps in lengths:
        tokens = max(1, min(round(load.input_tokens * relative), max_model_length))
        after = groups.transfer_seconds(engine, tokens) + HANDOVER_SECONDS
        alone.append(max(first, work + steps * plain.decode_alone) + after)
    return replace(
        plain,
        alone=tuple(alone),
        decode_full=plain.decode_alone,
        share_of_replicas=groups.prefill / groups.replicas,
    )
