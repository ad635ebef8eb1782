"""Combinations of settings that can't work, each with what would.

A check over several keys stays silent where one of them is already reported.
"""

from __future__ import annotations

from collections.abc import Iterable

from breakeven.catalog.clouds import find_cloud, private_balancer_clouds
from breakeven.cost.capacity.memory_fit import MemoryFit, memory_fit, smallest_fits
from breakeven.cost.capacity.roofline import TENSOR_PARALLEL, Engine
from breakeven.settings.adapters import check_adapters
from breakeven.settings.pool import check_pool, check_quota
from breakeven.settings.reader import ConfigReader
from breakeven.settings.schedule import check_schedule
from breakeven.settings.stack import Settings
from breakeven.settings.weights import check_weights


def check(settings: Settings, reader: ConfigReader) -> None:
    """Rejects every combination of settings that can't work."""
    _check_model(settings, reader)
    _check_support(settings, reader)
    check_pool(settings, reader)
    if not settings.beside:  # else of all models at once, in settings_models
        check_quota(settings, reader, f"maxReplicas {settings.replicas.max} takes")
    check_schedule(settings, reader)
    check_adapters(settings, reader)
    check_weights(settings, reader)
    _check_replicas(settings, reader)
    _check_network(settings, reader)
    _check_control_plane(settings, reader)
    _check_commitment(settings, reader)


def _check_model(settings: Settings, reader: ConfigReader) -> None:
    model, traffic = settings.model, settings.traffic
    if reader.usable("model", "maxModelLength") and (
        model.max_length > model.facts.max_model_length
    ):
        reader.reject(
            "maxModelLength",
            f"{model.max_length:,} tokens, but {model.facts.name} reads "
            f"{model.facts.max_model_length:,}",
            f"Allowed: up to {model.facts.max_model_length:,}",
        )
    if model.previous_revision == model.revision and reader.usable(
        "modelRevision", "previousModelRevision"
    ):
        reader.reject(
            "previousModelRevision",
            "the same commit as modelRevision",
            "Allowed: the commit to go back to, or empty",
        )
    request = traffic.input_tokens + traffic.output_tokens
    if reader.usable("maxModelLength", "inputTokensPerRequest", "outputTokensPerRequest") and (
        request > model.max_length
    ):
        reader.reject(
            "maxModelLength",
            f"{model.max_length:,} tokens, but a mean request has {request:,} "
            "(inputTokensPerRequest + outputTokensPerRequest)",
            f"Allowed: {request:,} or more",
        )
    parallel = settings.engine.tensor_parallel
    if reader.usable("model", "tensorParallel") and not model.facts.splits_over(parallel):
        reader.reject(
            "tensorParallel",
            f"{parallel} GPUs can't share the {model.facts.attention_heads} attention heads and "
            f"{model.facts.key_value_heads} key-value heads of {model.facts.name} evenly",
            f"Allowed: {_listed(n for n in TENSOR_PARALLEL if model.facts.splits_over(n))}",
        )
    if not reader.usable(
        *("model", "gpu", "precision", "tensorParallel", "pipelineParallel"),
        *("gpuMemoryUtilization", "maxModelLength", "loraAdapters", "loraMaxRank"),
    ):
        return
    stages = settings.engine.pipeline_parallel
    fit = _fit(settings, stages)
    if not fit.fits:
        options = smallest_fits(
            model.facts,
            max_model_length=model.max_length,
            gpu_memory_utilization=float(settings.engine.gpu_memory_utilization),
        )
        several = (
            f"pipelineParallel {nodes} with {parallel} x {settings.pool.gpu.name} on each node"
            for nodes in range(2, 9)
            # Nodes of fewer GPUs hold less than a larger node that clouds rent.
            if parallel == settings.pool.gpus_per_node == TENSOR_PARALLEL[-1]
            and _fit(settings, nodes).fits
        )
        of_each = f" on each of {stages} nodes" if stages > 1 else ""
        would = [*options, *tuple(several)[:1]]
        reader.reject(
            "gpu",
            f"{model.facts.name} in {model.precision} does not fit {parallel} x "
            f"{settings.pool.gpu.name}{of_each}: weights take {fit.weights_gib:.1f} GiB and leave "
            f"{max(fit.key_value_gib, 0):.1f} GiB for requests of {model.max_length:,} "
            "tokens",
            f"Would fit: {_listed(would)}; or shorten maxModelLength",
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
        ),
        gpu_memory_utilization=float(settings.engine.gpu_memory_utilization),
        max_model_length=model.max_length,
        request_tokens=traffic.input_tokens + traffic.output_tokens,
        adapter_bytes=model.adapter_bytes,
    )


def _check_support(settings: Settings, reader: ConfigReader) -> None:
    """Refuses what is known, and can be priced, but can't be deployed yet."""
    if reader.usable("gpu") and not settings.pool.gpu.is_deployable:
        reader.reject(
            "gpu",
            f"{settings.pool.gpu.name} needs another device plugin and another engine image",
            "Allowed: NVIDIA GPUs",
        )
    if reader.usable("model") and settings.model.facts.fetches_vocabulary:
        reader.reject(
            "model",
            f"{settings.model.facts.name} makes vLLM fetch a vocabulary when it starts, and the "
            "engine's pods reach nothing outside",
            "Choose another model",
        )


def _check_replicas(settings: Settings, reader: ConfigReader) -> None:
    replicas = settings.replicas
    if not reader.usable("minReplicas", "maxReplicas", "autoscaling"):
        return
    if replicas.min > replicas.max:
        reader.reject(
            "minReplicas",
            f"{replicas.min} is more than maxReplicas {replicas.max}",
            f"Allowed: up to {replicas.max}, or raise maxReplicas",
        )
        return
    if not replicas.autoscaling and replicas.min != replicas.max:
        reader.reject(
            "maxReplicas",
            f"{replicas.max} differs from minReplicas {replicas.min} with autoscaling off",
            "Allowed: the same number, or set autoscaling to true",
        )
    if reader.usable("maxReplicas", "pool", "nodeCount", "gpusPerNode", "tensorParallel"):
        _check_nodes(settings, reader)


def _check_nodes(settings: Settings, reader: ConfigReader) -> None:
    """Refuses replicas that the nodes don't hold, and weights that they can't mount."""
    pool, engine, highest = settings.pool, settings.engine, settings.replicas.max
    fleet, nodes = settings.replicas_of_fleet, settings.nodes_of(highest)
    if not pool.can_grow:
        nodes = min(pool.node_count, highest * engine.pipeline_parallel)
        if highest > fleet:
            several = f" and pipelineParallel {engine.pipeline_parallel}"
            reader.reject(
                "maxReplicas",
                f"{highest} replicas, but nodeCount {pool.node_count} x gpusPerNode "
                f"{pool.gpus_per_node} hold {fleet} of tensorParallel {engine.tensor_parallel}"
                f"{several if engine.pipeline_parallel > 1 else ''}",
                f"Allowed: up to {fleet}, or more nodes",
            )
    if reader.usable("weightsAccessMode") and nodes > 1 and not settings.shared_weights:
        reader.reject(
            "weightsAccessMode",
            f"ReadWriteOnce with replicas on up to {nodes} nodes; the second node could not mount "
            "the weights",
            "Allowed: ReadWriteMany with a storage class that offers it, or one node",
        )


def _check_network(settings: Settings, reader: ConfigReader) -> None:
    network, cloud = settings.network, find_cloud(settings.pricing.cloud)
    if network.has_load_balancer:
        if not network.client_networks and reader.usable("clientNetworks"):
            reader.reject("clientNetworks", "empty", f"Needed with exposure {network.exposure}")
        if cloud.private_balancer is None and reader.usable("exposure", "cloud"):
            reader.reject(
                "exposure",
                f"{network.exposure} with cloud {cloud.name}, where none is known to stay private",
                f"Allowed with cloud {_listed(private_balancer_clouds())}; or set exposure to "
                "cluster",
            )
    if reader.usable("namespace", "monitoringNamespace") and (
        network.namespace in (settings.monitoring.namespace, "default", "kube-system")
    ):
        reader.reject(
            "namespace", f'found "{network.namespace}"', "Allowed: a namespace of the model's own"
        )


def _check_control_plane(settings: Settings, reader: ConfigReader) -> None:
    """Refuses that of another cloud; nodes elsewhere may join any of them."""
    prices = settings.pricing
    own = find_cloud(prices.cloud).control_plane
    if own and prices.control_plane not in {own, "none"} and reader.usable("controlPlane", "cloud"):
        reader.reject(
            "controlPlane",
            f"{prices.control_plane} with cloud {prices.cloud}",
            f"Allowed: {own}, or none where others pay",
        )


def _check_commitment(settings: Settings, reader: ConfigReader) -> None:
    prices = settings.pricing
    if not prices.commitment_percent or not reader.usable(
        "commitmentPercent", "nodePricing", "autoscaling", "capacityTypes"
    ):
        return
    found = f"{prices.commitment_percent}"
    if prices.nodes != "list":
        reader.reject(
            "commitmentPercent",
            f"{found} with nodePricing {prices.nodes}",
            "Allowed with nodePricing list; a stated price is one with its discount",
        )
    elif settings.pool.first_purchase != "on-demand":
        reader.reject(
            "commitmentPercent",
            f"{found} on {settings.pool.first_purchase} nodes",
            "Allowed where capacityTypes begins with on-demand; what else is bought has its own "
            "price: state yours in priceOverrides",
        )
    elif settings.replicas.autoscaling and settings.pool.can_grow:
        reader.reject(
            "commitmentPercent",
            f"{found} with autoscaling; what is committed to is paid whether it runs or not",
            "Set autoscaling to false; `breakeven recommend --commitment-percent` weighs both",
        )


def _listed(items: Iterable[object]) -> str:
    return ", ".join(str(item) for item in items)
