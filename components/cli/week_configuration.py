"""From a stack file to the configuration whose week is simulated."""

from __future__ import annotations

from components.cost.capacity import memory_fit
from components.cost.roofline import Engine, RequestShape
from components.cost.week.configuration import Configuration, Service, service_of
from components.costing import NODE_START_SECONDS, VLLM_LARGEST_BATCH
from components.offline import LoadedStack
from components.serving.timings import PRE_STOP

HOURS_PER_MONTH = 730


def configuration_of(stack: LoadedStack, interruptions_per_month: float) -> Configuration:
    """Gathers what a week rests on.

    Args:
        stack: The stack.
        interruptions_per_month: Spot interruptions of a node in a month of 730 hours, 0 or more.
    """
    settings, assumptions = stack.settings, stack.assumptions
    replicas = settings.replicas
    return Configuration(
        fleet=assumptions.fleet,
        service=_service(stack),
        target_requests=replicas.target_requests,
        target_waiting=replicas.target_waiting,
        node_start_seconds=NODE_START_SECONDS,
        grace_seconds=PRE_STOP + settings.engine.longest_request_seconds,
        objective_seconds=float(settings.monitoring.time_to_first_token_seconds),
        interruptions_per_node_hour=interruptions_per_month / HOURS_PER_MONTH,
    )


def _service(stack: LoadedStack) -> Service:
    """Returns how a replica answers; the engine admits more than the autoscaler aims at."""
    settings, load = stack.settings, stack.assumptions.load
    model, engine = settings.model, settings.engine
    request = RequestShape(
        input_tokens=load.input_tokens,
        output_tokens=load.output_tokens,
        cached_input_tokens=load.input_tokens * load.cached_input_share,
    )
    fit = memory_fit(
        model.facts,
        precision=model.precision,
        gpu=settings.pool.gpu,
        tensor_parallel=engine.tensor_parallel,
        gpu_memory_utilization=float(engine.gpu_memory_utilization),
        max_model_length=model.max_model_length,
        # A request takes memory as it grows: half its output in the mean.
        request_tokens=round(request.mean_context),
    )
    planned = stack.assumptions.capacity
    return service_of(
        planned,
        Engine(
            model=model.facts,
            precision=model.precision,
            gpu=settings.pool.gpu,
            tensor_parallel=engine.tensor_parallel,
        ),
        request,
        slots=max(min(fit.concurrent_requests, VLLM_LARGEST_BATCH), planned.concurrent_requests),
    )
