"""What the models of a stack cannot share, and what they take together."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.settings.access.inference_pool import needs_of_pool
from breakeven.settings.fields import Conflict
from breakeven.settings.stack import Settings, Stack


def conflicts_of_models(stack: Stack) -> Iterator[Conflict]:
    """Yields what the models of one stack cannot share, and what they take that is not there."""
    if len(stack.models) > 1:
        yield from _not_shared(stack)
    yield from _providers(stack)
    if stack.gateway.is_inference_pool:
        yield from _of_pool(stack)
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


def _of_pool(stack: Stack) -> Iterator[Conflict]:
    """Yields what the cluster's own inference gateway lacks, and what it cannot do."""
    needs = ("gateway.kind",)
    yield from needs_of_pool(
        stack.gateway.inference_pool,
        gateway=stack.gateway.route.gateway,
        callers=stack.network.client_namespaces,
        namespace=stack.network.namespace,
    )
    if len(stack.models) > 1:
        yield Conflict(
            "models",
            f"several models with gateway.kind {stack.gateway.kind}",
            "Allowed with gateway.kind envoy, or one model for each stack",
            needs,
        )
    if stack.network.tls_secret is not None:
        yield Conflict(
            "network.tlsSecret",
            f"stated with gateway.kind {stack.gateway.kind}: a pool's replicas are asked by HTTP",
            "Leave it out, or set gateway.kind to envoy",
            needs,
        )


def _providers(stack: Stack) -> Iterator[Conflict]:
    """Refuses a key for two providers: one would get the other's."""
    apis = stack.models[0].overflow_apis
    used = list(dict.fromkeys(api.provider for api in apis.values()))
    stated = stack.gateway.overflow.providers
    shared = [name for name in used if name not in stated]
    for name in shared[1:]:
        yield Conflict(
            f"gateway.overflow.providers.{name}",
            f"not stated, but gateway.overflow.keySecret is the key of {shared[0]}",
            "Needed: keySecret, a Secret with the gateway's key there; no provider gets the key "
            "of another",
            ("api.inUse", "gateway.mode"),
        )
    for name, provider in stated.items():
        key = f"gateway.overflow.providers.{name}"
        if name not in used:
            yield Conflict(
                key,
                "no request goes there",
                f"Allowed: {', '.join(used) or 'none'}, the providers of api.inUse of the models "
                "in mode hybrid; leave it out",
                ("api.inUse", "gateway.mode", "network.dataMayLeave"),
            )
        elif provider.key_secret is None:
            yield Conflict(f"{key}.keySecret", "empty", "Needed: a Secret with the key there")


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
