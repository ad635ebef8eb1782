"""How fast a replica answers, from its engine and the requests of a load."""

from __future__ import annotations

from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.capacity.memory_fit import memory_fit
from breakeven.cost.capacity.roofline import Engine, RequestShape
from breakeven.cost.demand.load import Load
from breakeven.cost.fleet.simulation.configuration import ReplicaSpeed, speed_of


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
    request = RequestShape(
        input_tokens=load.input_tokens,
        output_tokens=load.own_output_tokens,
        cached_input_tokens=load.input_tokens * load.cached_input_share,
    )
    fit = memory_fit(
        engine,
        gpu_memory_utilization=gpu_memory_utilization,
        max_model_length=max_model_length,
        # A request takes memory as it grows: half its output in the mean.
        request_tokens=round(request.mean_context),
        adapter_bytes=adapter_bytes,
    )
    slots = max(min(fit.concurrent_requests, largest_batch), planned.concurrent_requests)
    return speed_of(planned, engine, request, slots)
