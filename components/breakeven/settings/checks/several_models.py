"""What the models of a stack can't share, and what they take together."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.settings.fields import Conflict
from breakeven.settings.stack import Settings, Stack


def conflicts_of_models(stack: Stack) -> Iterator[Conflict]:
    """Yields what the models of one stack can't share, and what they take that is not there."""
    if len(stack.models) > 1:
        yield from _not_shared(stack)
    if stack.shares_nodes:
        yield from _room(stack)
    elif all(model.replicas_per_node for model in stack.models):
        yield from _quota(stack)


def _not_shared(stack: Stack) -> Iterator[Conflict]:
    names = [model.model.name for model in stack.models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        yield Conflict(
            "models",
            f"{', '.join(twice)} is listed twice",
            "Allowed: each model once, because requests select it by name; raise its "
            "replicas.max instead",
            ("model.name",),
        )
    stages = max(model.engine.pipeline_parallel for model in stack.models)
    if stages > 1:
        yield Conflict(
            "models",
            f"several models with engine.pipelineParallel {stages}",
            "Allowed with replicas on one node; use a separate stack for a model that spans "
            "several nodes",
            ("engine.pipelineParallel",),
        )
    if stack.gateway.is_hybrid:
        yield Conflict(
            "models",
            "several models in mode hybrid",
            "Allowed in mode self-host, also with gateway.enabled; overflow supports one model",
            ("gateway.mode",),
        )


def _quota(stack: Stack) -> Iterator[Conflict]:
    """Refuses more GPUs than the provider grants."""
    pool, peak = stack.pool, stack.peak_gpus
    if pool.gpu_quota and peak > pool.gpu_quota:
        asked = "replicas.max of all models take"
        if len(stack.models) == 1:
            asked = f"replicas.max {stack.models[0].replicas.max} takes"
        yield Conflict(
            "pool.gpuQuota",
            f"{pool.gpu_quota} GPUs, but {asked} {peak} in whole nodes of {pool.gpus_per_node}",
            f"Request a quota of {peak}, or lower replicas.max",
            _SIZES,
        )


_SIZES = (
    "models",
    "replicas.max",
    "pool.gpusPerNode",
    "engine.tensorParallel",
    "pool.kind",
    "pool.nodeCount",
)


def conflicts_of_token(model: Settings, stack: Stack) -> Iterator[Conflict]:
    """Refuses a token that nothing is fetched with; one that models inherit may serve any."""
    key = "weights.hubTokenSecret"
    some_fetch = any(each.fetches_weights for each in stack.models)
    is_inherited = some_fetch and model.origin.key(key) == key
    stated = model.weights.hub_token_secret is not None
    if stated and not is_inherited and not model.fetches_weights:
        source = "weights.claim" if model.weights.claim is not None else "weights.image"
        yield Conflict(
            key,
            f"stated together with {source}",
            "Allowed: empty; nothing is fetched",
            ("weights.claim", "weights.image", "model.loraAdapters"),
        )


def _room(stack: Stack) -> Iterator[Conflict]:
    """Refuses models whose replicas a pool of fixed size does not hold for certain."""
    pool = stack.pool
    if stack.fits:
        return
    asked_gpus = [(model.engine.tensor_parallel, model.replicas.max) for model in stack.models]
    taken = sum(gpus * highest for gpus, highest in asked_gpus)
    there = pool.node_count * pool.gpus_per_node
    largest = max(gpus for gpus, _ in asked_gpus)
    asked = ", ".join(
        f"{model.model.name} {model.replicas.max} x {model.engine.tensor_parallel}"
        for model in stack.models
    )
    needs = ("replicas.max", "engine.tensorParallel", "pool.nodeCount", "pool.gpusPerNode")
    if taken > there:
        yield Conflict(
            "models",
            f"all replicas together take {taken} GPUs ({asked}), but pool.nodeCount "
            f"{pool.node_count} x pool.gpusPerNode {pool.gpus_per_node} provide {there}",
            "Allowed: lower replicas.max or engine.tensorParallel of a model, or more nodes",
            needs,
        )
    else:
        yield Conflict(
            "models",
            f"it is not certain that a replica of {largest} GPUs finds a node with as many free "
            f"({asked}; {pool.node_count} nodes of {pool.gpus_per_node})",
            "Allowed: fewer replicas, one more node, or the same engine.tensorParallel for all "
            "models: Kubernetes spreads small replicas and never moves one to make room",
            needs,
        )
