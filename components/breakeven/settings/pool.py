"""Reads where GPU nodes come from, and refuses what a pool kind can't do."""

from __future__ import annotations

import re

from breakeven.catalog.gpus import find_gpu, load_gpus
from breakeven.catalog.pool_kinds import POOL_KINDS
from breakeven.settings.fields import LABEL, LABEL_ALLOWED, MACHINE_TYPE
from breakeven.settings.groups import (
    ClusterApiSettings,
    ClusterApiTemplate,
    GkeSettings,
    KarpenterSettings,
    PoolSettings,
)
from breakeven.settings.reader import ConfigReader
from breakeven.settings.stack import Settings

_TEMPLATE = (
    r"(?P<group>[a-z0-9]([-a-z0-9.]*[a-z0-9])?\.[a-z]+)/(?P<kind>[A-Z][A-Za-z0-9]*Template)"
    r"/(?P<name>[a-z0-9]([-a-z0-9.]*[a-z0-9])?)"
)


def read_pool(reader: ConfigReader) -> PoolSettings:
    """Reads the keys that say where GPU nodes come from."""
    return PoolSettings(
        kind=POOL_KINDS[reader.choice("pool", tuple(POOL_KINDS))],
        gpu=find_gpu(reader.choice("gpu", tuple(load_gpus()))),
        gpus_per_node=reader.integer("gpusPerNode", 1, 16),
        gpu_quota=reader.integer("gpuQuota", 0, 100_000),
        node_count=reader.integer("nodeCount", 1, 1000),
        node_labels=reader.labels("nodeLabels"),
        node_taints=reader.words(
            "nodeTaints",
            pattern=r"([a-z0-9][a-z0-9.-]{0,252}/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?",
            allowed="Allowed: keys of taints, such as dedicated; values and effects don't matter",
        ),
        instance_types=reader.words(
            "instanceTypes",
            pattern=MACHINE_TYPE,
            allowed="Allowed: machine types such as g6e.xlarge",
        ),
        capacity_types=reader.words(
            "capacityTypes",
            pattern="reserved|on-demand|spot",
            allowed="Allowed: reserved, on-demand, spot",
        ),
        spot_interruptions_per_month=reader.decimal("spotInterruptionsPerMonth", "0", "700"),
        karpenter=_karpenter(reader),
        gke=_gke(reader),
        cluster_api=_cluster_api(reader),
        node_volume_gigabytes=reader.integer("nodeVolumeGigabytes", 50, 16_000),
    )


def _karpenter(reader: ConfigReader) -> KarpenterSettings:
    return KarpenterSettings(
        node_role=reader.text("karpenterNodeRole"),
        discovery_tag=reader.text("karpenterDiscoveryTag"),
        node_image=reader.text(
            "karpenterNodeImage",
            pattern=r"(al2023|bottlerocket)@v[0-9.]+",
            allowed="Allowed: al2023@vRELEASE or bottlerocket@vRELEASE; latest would replace every "
            "node on the day of the next release, unseen in any preview",
        ),
    )


def _gke(reader: ConfigReader) -> GkeSettings:
    return GkeSettings(
        reservations=reader.words(
            "gkeReservations",
            pattern=LABEL,
            allowed="Allowed: names of Compute Engine reservations",
        ),
        service_account=reader.text(
            "gkeServiceAccount",
            pattern=r"([a-z0-9-]+@[a-z0-9.-]+\.iam\.gserviceaccount\.com)?",
            allowed="Allowed: NAME@PROJECT.iam.gserviceaccount.com",
        ),
    )


def _cluster_api(reader: ConfigReader) -> ClusterApiSettings:
    return ClusterApiSettings(
        context=reader.text("clusterApiContext"),
        cluster=reader.text("clusterApiCluster", pattern=f"({LABEL})?", allowed=LABEL_ALLOWED),
        namespace=reader.text("clusterApiNamespace", pattern=LABEL, allowed=LABEL_ALLOWED),
        version=reader.text(
            "clusterApiVersion",
            pattern=r"(v1\.\d+\.\d+)?",
            allowed="Allowed: a Kubernetes version such as v1.35.4",
        ),
        bootstrap_template=_template(reader, "clusterApiBootstrapTemplate"),
        machine_template=_template(reader, "clusterApiMachineTemplate"),
    )


def _template(reader: ConfigReader, key: str) -> ClusterApiTemplate:
    text = reader.text(
        key,
        pattern=f"({_TEMPLATE})?",
        allowed="Allowed: GROUP/KIND/NAME of a template, such as "
        "bootstrap.cluster.x-k8s.io/KubeadmConfigTemplate/gpu-workers",
    )
    found = re.fullmatch(_TEMPLATE, text)
    return ClusterApiTemplate(**found.groupdict()) if found else ClusterApiTemplate()


def check_pool(settings: Settings, reader: ConfigReader) -> None:
    """Rejects what can't work with the pool's kind, each with what would."""
    pool, parallel = settings.pool, settings.engine.tensor_parallel
    if reader.usable("gpusPerNode", "tensorParallel") and pool.gpus_per_node % parallel:
        reader.reject(
            "tensorParallel",
            f"{parallel} GPUs a replica on nodes of {pool.gpus_per_node} (gpusPerNode)",
            f"Allowed: a divisor of {pool.gpus_per_node}, or set gpusPerNode to a multiple of "
            f"{parallel}: whole replicas must fill a node",
        )
    _check_several_nodes(settings, reader)
    if not reader.usable("pool"):
        return
    kind = pool.kind
    _check_needed(pool, reader)
    if kind.cloud and reader.usable("cloud") and settings.pricing.cloud != kind.cloud:
        reader.reject(
            "cloud",
            f'found "{settings.pricing.cloud}"',
            f"Allowed with pool {kind.name}: {kind.cloud}",
        )
    missing = [name for name in pool.capacity_types if not kind.supports(name)]
    if kind.purchases and missing and reader.usable("capacityTypes"):
        reader.reject(
            "capacityTypes",
            f"found {', '.join(missing)}",
            f"Allowed with pool {kind.name}: {', '.join(kind.purchases)}"
            + (f"; {kind.purchases_hint}" if kind.purchases_hint else ""),
        )
    from_zero = kind.starts_from_zero or settings.replicas.min
    if not from_zero and reader.usable("minReplicas"):
        reader.reject(
            "minReplicas",
            f"0 with pool {kind.name}",
            "Allowed: 1 or more; from no machine at all the cluster autoscaler can't tell what the "
            "next one would have",
        )
    _check_gpu(pool, reader)
    _check_reservations(pool, reader)


def _check_several_nodes(settings: Settings, reader: ConfigReader) -> None:
    pool, engine = settings.pool, settings.engine
    if engine.pipeline_parallel == 1 or not reader.usable("pipelineParallel"):
        return
    if engine.tensor_parallel != pool.gpus_per_node and reader.usable(
        "tensorParallel", "gpusPerNode"
    ):
        reader.reject(
            "tensorParallel",
            f"{engine.tensor_parallel} of {pool.gpus_per_node} GPUs a node, with pipelineParallel "
            f"{engine.pipeline_parallel}",
            f"Allowed: {pool.gpus_per_node} (gpusPerNode), or pipelineParallel 1: a replica of "
            "several nodes takes them whole",
        )
    if not pool.can_grow and pool.node_count % engine.pipeline_parallel:
        reader.reject(
            "nodeCount",
            f"{pool.node_count} with pipelineParallel {engine.pipeline_parallel}",
            f"Allowed: a multiple of {engine.pipeline_parallel}; the rest would be paid and idle",
        )


def _key(setting: str) -> str:
    """Returns the key of a setting that a pool kind names, such as "karpenter.nodeRole"."""
    group, _, rest = setting.partition(".")
    return f"{group}{rest[:1].upper()}{rest[1:]}"


def _is_empty(pool: PoolSettings, setting: str) -> bool:
    value: object = pool
    for part in setting.split("."):
        value = getattr(value, re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", part))
    return not value or value == ClusterApiTemplate()


def _check_needed(pool: PoolSettings, reader: ConfigReader) -> None:
    for setting in pool.kind.required_settings:
        key = _key(setting)
        if _is_empty(pool, setting) and reader.usable(key):
            reader.reject(key, "empty", f"Needed with pool {pool.kind.name}")


def _check_gpu(pool: PoolSettings, reader: ConfigReader) -> None:
    kind = pool.kind
    if kind.accepts_gpu(pool.gpu) or not reader.usable("gpu"):
        return
    hint = kind.gpu_hint(pool.gpu)
    reader.reject(
        "gpu",
        f'found "{pool.gpu.name}"',
        f"Allowed with pool {kind.name}: {', '.join(kind.gpus)}" + (f"; {hint}" if hint else ""),
    )


def _check_reservations(pool: PoolSettings, reader: ConfigReader) -> None:
    setting = pool.kind.reservations_setting
    if not setting or "reserved" not in pool.capacity_types:
        return
    key = _key(setting)
    if _is_empty(pool, setting) and reader.usable(key):
        reader.reject(
            key,
            "empty, with reserved in capacityTypes",
            "Name the reservations, or take reserved out of capacityTypes",
        )


def check_quota(settings: Settings, reader: ConfigReader, asked: str) -> None:
    """Rejects more GPUs than the provider gives; `asked` says in words what takes them."""
    pool = settings.pool
    if not pool.gpu_quota or not reader.usable(
        "gpuQuota", "maxReplicas", "gpusPerNode", "tensorParallel", "pool", "nodeCount"
    ):
        return
    if settings.peak_gpus > pool.gpu_quota:
        reader.reject(
            "gpuQuota",
            f"{pool.gpu_quota} GPUs, but {asked} "
            f"{settings.peak_gpus} in whole nodes of {pool.gpus_per_node}",
            f"Ask for a quota of {settings.peak_gpus}, or lower maxReplicas",
        )
