"""How fast a replica answers, from its engine and the requests of a load."""

from __future__ import annotations

import math
from dataclasses import replace

from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.capacity.memory_fit import memory_fit
from breakeven.cost.capacity.roofline import Engine, RequestShape, step_times, texts_in_step
from breakeven.cost.demand.load import Load
from breakeven.cost.fleet.simulation.configuration import ReplicaSpeed, speed_of
from breakeven.cost.fleet.simulation.prompt_times import PromptTimes


def replica_speed(  # noqa: PLR0913  # one argument a setting
    engine: Engine,
    load: Load,
    planned: ReplicaCapacity,
    *,
    gpu_memory_utilization: float,
    max_model_length: int,
    largest_batch: int,
    adapter_bytes: int,
) -> ReplicaSpeed:
    """Returns how a replica answers; the engine admits more than an autoscaler aims at.

    Args:
        engine: Model and GPUs of a replica.
        load: Its requests.
        planned: What it is planned to serve.
        gpu_memory_utilization: Share of the GPU's memory that vLLM may use, over 0 to 1.
        max_model_length: Longest request, input and output, in tokens.
        largest_batch: Most requests that the engine runs at once.
        adapter_bytes: What LoRA adapters take on all GPUs together.
    """
    request = mean_request(load)
    fit = memory_fit(
        engine,
        gpu_memory_utilization=gpu_memory_utilization,
        max_model_length=max_model_length,
        # A request takes memory as it grows: half its output in the mean.
        request_tokens=round(request.mean_context),
        adapter_bytes=adapter_bytes,
    )
    slots = max(min(fit.concurrent_requests, largest_batch), planned.concurrent_requests)
    speed = speed_of(planned, engine, request, slots)
    slower = planned.prefill_seconds / step_times(engine, request, 1).first_token
    prompts = prompt_times(engine, load, slots, max_model_length).slower(slower)
    return replace(speed, prompts=prompts)


def mean_request(load: Load) -> RequestShape:
    """Returns the mean request of a load, in engine steps of output."""
    return RequestShape(
        input_tokens=load.input_tokens,
        output_tokens=load.steps,
        cached_input_tokens=load.input_tokens * load.cached_input_share,
    )


def prompt_times(engine: Engine, load: Load, slots: int, max_model_length: int) -> PromptTimes:
    """Returns the roofline's times of prompts of all lengths of a load.

    Args:
        engine: Model and GPUs of a replica.
        load: Its requests.
        slots: Requests that the engine runs at once.
        max_model_length: Longest request, in tokens; longer prompts are refused.
    """
    budget = engine.batched_tokens
    alone, work, steps, shares = [], [], [], []
    for relative in load.input_lengths:
        tokens = max(1, min(round(load.input_tokens * relative), max_model_length))
        request = RequestShape(
            input_tokens=tokens,
            output_tokens=load.steps,
            cached_input_tokens=tokens * load.cached_input_share,
        )
        new_tokens = tokens * (1 - load.cached_input_share)
        times = step_times(engine, request, 1)
        alone.append(times.first_token)
        work.append(times.prefill * engine.pipeline_parallel)
        steps.append(max(1, math.ceil(new_tokens / budget)))
        shares.append(new_tokens / budget)
    mean = mean_request(load)
    return PromptTimes(
        alone=tuple(alone),
        work=tuple(work),
        steps=tuple(steps),
        budget_share=tuple(shares),
        decode_alone=step_times(engine, mean, 1).decode,
        decode_full=step_times(engine, mean, _in_step(engine, mean, slots)).decode,
    )


def _in_step(engine: Engine, request: RequestShape, slots: int) -> int:
    """Returns how many requests share a step; of texts that are only read not all slots do."""
    if engine.model.generates:
        return slots
    return max(1, min(slots, math.floor(texts_in_step(engine, request))))
