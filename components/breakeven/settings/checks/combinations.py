"""Combinations of settings of several groups that cannot work, each with what would."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from breakeven.catalog.apis.addresses import API_ADDRESSES
from breakeven.catalog.clouds import find_cloud, private_balancer_clouds
from breakeven.settings.checks.air_gap import air_gap
from breakeven.settings.checks.disaggregation import disaggregation_conflicts
from breakeven.settings.checks.gpus import gpu_conflicts
from breakeven.settings.checks.pooling import pooling_conflicts
from breakeven.settings.checks.techniques import technique_conflicts
from breakeven.settings.fields import Conflict
from breakeven.settings.stack import Settings

_BESIDE_GIGABYTES = 40
"""What a node's root volume holds beside an image of weights: the system, the engine's image
unpacked (some 20 GB), caches."""


def conflicts_of(settings: Settings) -> Iterator[Conflict]:
    """Yields every combination of one model's settings that cannot work."""
    yield from _scale_to_zero(settings)
    if settings.gateway.is_hybrid:
        yield from _hybrid(settings)
    if settings.gateway.tls.egress_secret is not None and not settings.separates_inside:
        yield Conflict(
            "gateway.tls.egressSecret",
            "has no effect: the same pods call the API, or none does",
            "Allowed in mode hybrid with gateway.separateInside; leave it out",
            ("gateway.mode", "gateway.separateInside", "network.dataMayLeave"),
        )
    yield from _model(settings)
    yield from gpu_conflicts(settings)
    yield from technique_conflicts(settings)
    yield from disaggregation_conflicts(settings)
    yield from pooling_conflicts(settings)
    yield from _pool(settings)
    if settings.replicas_per_node:  # otherwise no node holds a replica, which is reported above
        yield from _nodes(settings)
    yield from _weights(settings)
    yield from _network(settings)
    yield from _commitment(settings)
    if settings.network.is_air_gapped:
        yield from air_gap(settings)


def _scale_to_zero(settings: Settings) -> Iterator[Conflict]:
    replicas, allowed = settings.replicas, "Allowed: 1 or more"
    needs = ("gateway.mode", "gateway.enabled", "replicas.autoscaling")
    if replicas.min > 0:
        return
    if not settings.gateway.is_on:
        found = "0 without a gateway: nothing would hold requests while a replica starts"
        allowed = f"{allowed}, or set gateway.enabled to true, or gateway.mode to hybrid"
        yield Conflict("replicas.min", found, allowed, needs)
    elif not replicas.autoscaling:
        found = "0 with replicas.autoscaling off: no replica would ever start"
        allowed = f"{allowed}, or set replicas.autoscaling to true"
        yield Conflict("replicas.min", found, allowed, needs)


def _hybrid(settings: Settings) -> Iterator[Conflict]:
    overflow, replicas, api = settings.gateway.overflow, settings.replicas, settings.overflow_api
    if api is not None and not api.address:
        key = "gateway.overflow"
        if api.provider in overflow.providers:
            key = f"{key}.providers.{api.provider}"
        yield Conflict(
            f"{key}.address",
            f"no address is known for {api.model}",
            f"State it, or use api.inUse of {', '.join(API_ADDRESSES)}",
            ("api.inUse",),
        )
    if settings.gateway.oidc.jwks_uri and not settings.overflow_apis:
        yield Conflict(
            "gateway.oidc.jwksUri",
            "an address outside, but network.dataMayLeave is false: no pod has a way out",
            "Allowed: gateway.oidc.jwksSecret, a Secret with the keys as jwks.json",
            ("network.dataMayLeave", "gateway.mode"),
        )
    if replicas.autoscaling and overflow.requests_per_replica < replicas.target_requests:
        yield Conflict(
            "gateway.overflow.requestsPerReplica",
            f"{overflow.requests_per_replica} is less than replicas.targetRequests "
            f"{replicas.target_requests}: requests would leave before a replica is added",
            f"Allowed: {replicas.target_requests} or more",
            ("replicas.targetRequests", "replicas.autoscaling"),
        )


def _model(settings: Settings) -> Iterator[Conflict]:
    model, traffic = settings.model, settings.traffic
    written = traffic.output_tokens if model.facts.generates else 0
    request = traffic.input_tokens + written
    if request > model.max_length:
        yield Conflict(
            "model.maxLength",
            f"{model.max_length:,} tokens, but an average request has {request:,} "
            "(traffic.inputTokens + traffic.outputTokens)",
            f"Allowed: {request:,} or more",
            ("traffic.inputTokens", "traffic.outputTokens"),
        )
    parallel = settings.engine.tensor_parallel
    if not model.facts.splits_over(parallel):
        yield Conflict(
            "engine.tensorParallel",
            f"{parallel} GPUs cannot evenly share the {model.facts.attention_heads} attention "
            f"heads and {model.facts.key_value_heads} key-value heads of {model.facts.name}",
            f"Allowed: {_listed(n for n in (1, 2, 4, 8) if model.facts.splits_over(n))}",
            ("model.name",),
        )


def _pool(settings: Settings) -> Iterator[Conflict]:
    pool, parallel = settings.pool, settings.engine.tensor_parallel
    if pool.gpus_per_node % parallel:
        yield Conflict(
            "engine.tensorParallel",
            f"{parallel} GPUs per replica on nodes of {pool.gpus_per_node} (pool.gpusPerNode)",
            f"Allowed: a divisor of {pool.gpus_per_node}, or set pool.gpusPerNode to a multiple "
            f"of {parallel}: whole replicas must fill a node",
            ("pool.gpusPerNode",),
        )
    if settings.engine.pipeline_parallel > 1:
        yield from _several_nodes(settings)
    cloud = settings.pricing.cloud
    if pool.kind.cloud and cloud != pool.kind.cloud:
        yield Conflict(
            "pricing.cloud",
            f'found "{cloud}"',
            f"Allowed with pool {pool.kind.name}: {pool.kind.cloud}",
            ("pool.kind",),
        )
    if not pool.kind.starts_from_zero and not settings.replicas.min:
        yield Conflict(
            "replicas.min",
            f"0 with pool {pool.kind.name}",
            "Allowed: 1 or more; without a machine, the cluster autoscaler does not know what "
            "the next one would have",
            ("pool.kind",),
        )


def _several_nodes(settings: Settings) -> Iterator[Conflict]:
    pool, engine = settings.pool, settings.engine
    stages = engine.pipeline_parallel
    if engine.tensor_parallel != pool.gpus_per_node:
        yield Conflict(
            "engine.tensorParallel",
            f"{engine.tensor_parallel} of {pool.gpus_per_node} GPUs per node, with "
            f"engine.pipelineParallel {stages}",
            f"Allowed: {pool.gpus_per_node} (pool.gpusPerNode), or engine.pipelineParallel 1: a "
            "replica that spans several nodes takes whole nodes",
            ("pool.gpusPerNode", "engine.pipelineParallel"),
        )
    if not pool.can_grow and pool.node_count % stages:
        yield Conflict(
            "pool.nodeCount",
            f"{pool.node_count} with engine.pipelineParallel {stages}",
            f"Allowed: a multiple of {stages}; the rest would be paid for and idle",
            ("engine.pipelineParallel",),
        )


def _weights(settings: Settings) -> Iterator[Conflict]:
    weights, model, pool = settings.weights, settings.model, settings.pool
    if weights.claim is not None and weights.image is not None:
        yield Conflict(
            "weights.image",
            "stated together with weights.claim",
            "Allowed: empty; only one of the two holds the weights",
            ("weights.claim",),
        )
    elif weights.claim is not None and model.previous_revision is not None:
        yield Conflict(
            "model.previousRevision",
            "stated together with weights.claim",
            "Allowed: empty; keep the older folder in the volume, and roll back with "
            "model.revision",
            ("weights.claim", "weights.image"),
        )
    if weights.image is None:
        return
    if model.previous_revision is not None:
        yield Conflict(
            "model.previousRevision",
            "a commit together with weights.image",
            "Leave it out: to roll back, name the earlier image",
            ("weights.image",),
        )
    needed = -(-model.repository_bytes // 10**9) + _BESIDE_GIGABYTES
    if pool.kind.root_volume_class and pool.node_volume_gigabytes < needed:
        yield Conflict(
            "pool.nodeVolumeGigabytes",
            f"{pool.node_volume_gigabytes} GB, but each node unpacks the weights of weights.image",
            f"Allowed: {needed} or more",
            ("weights.image", "model.name", "model.precision", "pool.kind"),
        )


def _nodes(settings: Settings) -> Iterator[Conflict]:
    """Refuses replicas that the nodes do not hold, and weights that they cannot mount."""
    pool, engine, highest = settings.pool, settings.engine, settings.replicas.max
    fleet, nodes = settings.replicas_of_fleet, settings.nodes_of(highest)
    if not pool.can_grow:
        nodes = min(pool.node_count, highest * engine.pipeline_parallel)
        if highest > fleet:
            several = f" and engine.pipelineParallel {engine.pipeline_parallel}"
            yield Conflict(
                "replicas.max",
                f"{highest} replicas, but pool.nodeCount {pool.node_count} x pool.gpusPerNode "
                f"{pool.gpus_per_node} hold {fleet} of engine.tensorParallel "
                f"{engine.tensor_parallel}{several if engine.pipeline_parallel > 1 else ''}",
                f"Allowed: up to {fleet}, or more nodes",
                _COUNTS,
            )
    if nodes > 1 and not settings.shared_weights:
        yield Conflict(
            "weights.accessMode",
            f"ReadWriteOnce with replicas on up to {nodes} nodes; the second node could not mount "
            "the weights",
            "Allowed: ReadWriteMany with a storage class that supports it, or one node",
            ("replicas.max", *_COUNTS),
        )


_COUNTS = (
    "replicas.min",
    "replicas.autoscaling",
    "pool.kind",
    "pool.nodeCount",
    "pool.gpusPerNode",
    "engine.tensorParallel",
)


def _network(settings: Settings) -> Iterator[Conflict]:
    network, cloud = settings.network, find_cloud(settings.pricing.cloud)
    if network.has_load_balancer and cloud.private_balancer is None:
        yield Conflict(
            "network.exposure",
            f"{network.exposure} with pricing.cloud {cloud.name}, which has no load balancer "
            "known to stay private",
            f"Allowed with pricing.cloud {_listed(private_balancer_clouds())}; or set "
            "network.exposure to cluster",
            ("pricing.cloud",),
        )
    if network.namespace in (settings.monitoring.namespace, "default", "kube-system"):
        yield Conflict(
            "network.namespace",
            f'found "{network.namespace}"',
            "Allowed: a namespace used only by the model",
            ("monitoring.namespace",),
        )
    endpoint = settings.monitoring.tracing_endpoint
    if endpoint is None or endpoint.namespace is not None or network.data_may_leave:
        return
    if ipaddress.ip_address(endpoint.host).is_global:
        yield Conflict(
            "monitoring.tracingEndpoint",
            f"{endpoint.host} is a public address, but network.dataMayLeave is false",
            "Allowed: a collector in the cluster (http://SERVICE.NAMESPACE.svc:4317) or at a "
            "private address",
            ("network.dataMayLeave",),
        )


def _commitment(settings: Settings) -> Iterator[Conflict]:
    pricing, pool = settings.pricing, settings.pool
    if not pricing.commitment_percent:
        return
    key, percent = "pricing.commitmentPercent", f"{pricing.commitment_percent}"
    needs = ("pricing.nodes", "replicas.autoscaling", "pool.capacityTypes")
    if pricing.nodes != "list":
        found = f"{percent} with pricing.nodes {pricing.nodes}"
        allowed = "Allowed with pricing.nodes list; a stated price already includes its discount"
        yield Conflict(key, found, allowed, needs)
    elif pool.first_purchase != "on-demand":
        yield Conflict(
            key,
            f"{percent} on {pool.first_purchase} nodes",
            "Allowed if pool.capacityTypes begins with on-demand; other capacity types have "
            "their own price: state yours in pricing.overrides",
            needs,
        )
    elif settings.replicas.autoscaling and pool.can_grow and not settings.replicas.min:
        yield Conflict(
            key,
            f"{percent} with replicas.min 0: no node is always on, and a commitment is paid "
            "whether nodes run or not",
            "Set replicas.min to 1 or more, or remove the commitment",
            (*needs, "replicas.min"),
        )


def _listed(items: Iterable[object]) -> str:
    return ", ".join(map(str, items))
