"""Checks of a model that need to know how vLLM runs it."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.cost.capacity.memory_fit import MemoryFit, memory_fit, smallest_fits
from breakeven.cost.capacity.roofline import TENSOR_PARALLEL, Engine
from breakeven.errors import Problem
from breakeven.manifests.serving.engine import own_variables
from breakeven.planning.techniques import techniques_of
from breakeven.settings.checks.disaggregation import undeployable_conflicts
from breakeven.settings.fields import Conflict
from breakeven.settings.model import UNKNOWN_REVISION
from breakeven.settings.parse import raise_problems, told
from breakeven.settings.stack import Settings, Stack


def serving_conflicts(settings: Settings) -> Iterator[Conflict]:
    """Yields why a model cannot be served as it is stated."""
    yield from _memory(settings)
    yield from _variables(settings)


def _variables(settings: Settings) -> Iterator[Conflict]:
    """Refuses variables that the kit sets by itself: without them it would not be what it says."""
    own = own_variables(settings)
    taken = [name for name in settings.engine.env if name in own]
    if taken:
        yield Conflict(
            "engine.env",
            f"{', '.join(taken)} {'is' if len(taken) == 1 else 'are'} set by Breakeven",
            "Allowed: any other variable",
        )


def require_deployable(name: str, stack: Stack) -> None:
    """Refuses what a deployment needs and an estimate does not.

    Args:
        name: Name of the stack, for messages.
        stack: The stack.

    Raises:
        SettingsError: The commit of a model's weights is not known, or prefill and decode are on
            separate replicas.
    """
    problems: tuple[Problem, ...] = ()
    for model in stack.models:
        problems = told(problems, model, undeployable_conflicts(model))
        if model.model.revision == UNKNOWN_REVISION:
            conflict = Conflict(
                "model.revision",
                f"no commit of {model.model.repository} is known",
                "State the one to deploy, 40 hexadecimal digits: the repository's page lists them "
                "under Files, History, and `breakeven model add` writes it",
            )
            problems = told(problems, model, [conflict])
    raise_problems(name, problems)


def _memory(settings: Settings) -> Iterator[Conflict]:
    """Refuses a model that is too large for the GPUs of a replica, with what it would fit."""
    model, engine, gpu = settings.model, settings.engine, settings.pool.gpu.name
    parallel, stages = engine.tensor_parallel, engine.pipeline_parallel
    fit = _fit(settings, stages)
    if fit.fits:
        return
    options = smallest_fits(
        model.facts,
        max_model_length=model.max_length,
        gpu_memory_utilization=float(engine.gpu_memory_utilization),
    )
    several = (
        f"engine.pipelineParallel {nodes} with {parallel} x {gpu} on each node"
        for nodes in range(2, 9)
        # Nodes of fewer GPUs hold less than a larger node that clouds rent.
        if parallel == settings.pool.gpus_per_node == TENSOR_PARALLEL[-1]
        and _fit(settings, nodes).fits
    )
    of_each = f" on each of {stages} nodes" if stages > 1 else ""
    would = [*options, *tuple(several)[:1]]
    yield Conflict(
        "pool.gpu",
        f"{model.name} in {model.precision} does not fit {parallel} x {gpu}{of_each}: weights take "
        f"{fit.weights_gib:.1f} GiB and leave {max(fit.key_value_gib, 0):.1f} GiB for requests of "
        f"{model.max_length:,} tokens",
        f"Would fit: {', '.join(map(str, would))}; or lower model.maxLength",
        (
            *("model.name", "model.precision", "model.maxLength", "model.loraAdapters"),
            *("model.loraMaxRank", "engine.tensorParallel", "engine.pipelineParallel"),
            "engine.gpuMemoryUtilization",
        ),
    )


def _fit(settings: Settings, stages: int) -> MemoryFit:
    model, traffic = settings.model, settings.traffic
    return memory_fit(
        Engine(
            model=model.facts,
            precision=model.precision,
            gpu=settings.pool.gpu,
            tensor_parallel=settings.engine.tensor_parallel,
            pipeline_parallel=stages,
            techniques=techniques_of(settings),
        ),
        gpu_memory_utilization=float(settings.engine.gpu_memory_utilization),
        max_model_length=model.max_length,
        request_tokens=traffic.input_tokens
        + (traffic.output_tokens if model.facts.generates else 0),
        adapter_bytes=model.adapter_bytes,
    )
