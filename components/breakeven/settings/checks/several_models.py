"""What models of one stack can't share."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.settings.checks.combinations import quota
from breakeven.settings.fields import Conflict
from breakeven.settings.stack import Settings


def conflicts_of_models(settings: Settings) -> Iterator[Conflict]:
    """Yields what models of one stack can't share; asked of the first of them."""
    yield from _token(settings)
    if not settings.others:
        return
    names = [model.model.name for model in settings.models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        yield Conflict(
            "models",
            f"{', '.join(twice)} is served twice",
            "Allowed: each model once, because requests name it; raise its replicas.max instead",
            ("model.name",),
        )
    stages = max(model.engine.pipeline_parallel for model in settings.models)
    if stages > 1:
        yield Conflict(
            "models",
            f"several models with engine.pipelineParallel {stages}",
            "Allowed with replicas of one node; give a model that spans several a stack of its own",
            ("engine.pipelineParallel",),
        )
    if settings.gateway.is_hybrid:
        yield Conflict(
            "models",
            "several models in mode hybrid",
            "Allowed in mode self-host; the gateway knows one model",
            ("gateway.mode",),
        )
    if settings.shares_nodes:
        yield from _room(settings)
    elif all(model.replicas_per_node for model in settings.models):
        yield from quota(settings, "replicas.max of all models take")


def _token(settings: Settings) -> Iterator[Conflict]:
    """Refuses a token that nothing is fetched with; one that models inherit may serve any."""
    some_fetch = any(model.fetches_weights for model in settings.models)
    for model in settings.models:
        key = model.origin.key("weights.hubTokenSecret")
        is_inherited = some_fetch and not key.startswith("models[")
        stated = model.weights.hub_token_secret is not None
        if stated and not is_inherited and not model.fetches_weights:
            source = "weights.claim" if model.weights.claim is not None else "weights.image"
            yield Conflict(
                key,
                f"stated beside {source}",
                "Allowed: empty; nothing is fetched",
                ("weights.claim", "weights.image", "model.loraAdapters"),
            )


def _room(settings: Settings) -> Iterator[Conflict]:
    """Refuses models whose replicas a pool of fixed size does not hold for certain."""
    pool = settings.pool
    if settings.holds():
        return
    shares = [model.share for model in settings.models]
    taken, there = sum(s.gpus * s.highest for s in shares), pool.node_count * pool.gpus_per_node
    largest = max(share.gpus for share in shares)
    asked = ", ".join(
        f"{model.model.name} {model.replicas.max} x {model.engine.tensor_parallel}"
        for model in settings.models
    )
    needs = ("replicas.max", "engine.tensorParallel", "pool.nodeCount", "pool.gpusPerNode")
    if taken > there:
        yield Conflict(
            "models",
            f"all replicas together take {taken} GPUs ({asked}), but pool.nodeCount "
            f"{pool.node_count} x pool.gpusPerNode {pool.gpus_per_node} are {there}",
            "Allowed: lower replicas.max or engine.tensorParallel of a model, or more nodes",
            needs,
        )
    else:
        yield Conflict(
            "models",
            f"it is not certain that a replica of {largest} GPUs finds a node with as many free "
            f"({asked}; {pool.node_count} nodes of {pool.gpus_per_node})",
            "Allowed: fewer replicas, a node more, or the same engine.tensorParallel for all "
            "models: Kubernetes spreads small replicas, and moves none to make room",
            needs,
        )
