"""Reads where GPU nodes come from, and refuses what a pool kind can't do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from breakeven.catalog.gpus import find_gpu, load_gpus
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolKind:
    """What a way of getting nodes needs and can do.

    Attributes:
        cloud: Cloud that it belongs to; None for any.
        capacity_types: Purchases that its platform has; empty where the platform does not choose.
        needed: Keys that must not be empty.
        unavailable: Why a purchase is missing, for the message.
    """

    cloud: str | None
    capacity_types: tuple[str, ...]
    needed: tuple[str, ...]
    unavailable: str = ""


POOL_KINDS: Mapping[str, PoolKind] = {
    "existing": PoolKind(cloud=None, capacity_types=(), needed=("nodeLabels",)),
    "karpenter-aws": PoolKind(
        cloud="aws",
        capacity_types=("reserved", "on-demand", "spot"),
        needed=("instanceTypes", "capacityTypes", "karpenterNodeRole", "karpenterDiscoveryTag"),
    ),
    "karpenter-azure": PoolKind(
        cloud="azure",
        capacity_types=("on-demand", "spot"),
        needed=("instanceTypes", "capacityTypes"),
        unavailable="AKS node auto-provisioning uses no capacity reservations; a reserved instance "
        "is a discount on on-demand machines: state it as commitmentPercent",
    ),
    "gke-compute-class": PoolKind(
        cloud="gcp",
        capacity_types=("reserved", "on-demand", "spot"),
        needed=("instanceTypes", "capacityTypes"),
    ),
    "cluster-api": PoolKind(
        cloud=None,
        capacity_types=("on-demand",),
        needed=(
            "clusterApiCluster",
            "clusterApiVersion",
            "clusterApiBootstrapTemplate",
            "clusterApiMachineTemplate",
        ),
        unavailable="the machine template says how a machine is bought",
    ),
}
"""All pool kinds. `breakeven.manifests.gpu_pool` has a class for each."""

GKE_GPUS: Mapping[str, str] = {
    "l4": "nvidia-l4",
    "a100-40": "nvidia-tesla-a100",
    "a100-80": "nvidia-a100-80gb",
    "h100": "nvidia-h100-80gb",
}
"""GPUs of machines that boot from the disk that is priced (pd-ssd), with GKE's names of them."""

_HYPERDISK_ONLY = "rtx-pro-6000"


def read_pool(reader: ConfigReader) -> PoolSettings:
    """Reads the keys that say where GPU nodes come from."""
    return PoolSettings(
        kind=reader.choice("pool", tuple(POOL_KINDS)),
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
    kind = POOL_KINDS[pool.kind]
    _check_needed(pool, kind, reader)
    if kind.cloud and reader.usable("cloud") and settings.pricing.cloud != kind.cloud:
        reader.reject(
            "cloud",
            f'found "{settings.pricing.cloud}"',
            f"Allowed with pool {pool.kind}: {kind.cloud}",
        )
    missing = [name for name in pool.capacity_types if name not in kind.capacity_types]
    if kind.capacity_types and missing and reader.usable("capacityTypes"):
        reader.reject(
            "capacityTypes",
            f"found {', '.join(missing)}",
            f"Allowed with pool {pool.kind}: {', '.join(kind.capacity_types)}"
            + (f"; {kind.unavailable}" if kind.unavailable else ""),
        )
    if pool.kind == "cluster-api" and not settings.replicas.min and reader.usable("minReplicas"):
        reader.reject(
            "minReplicas",
            "0 with pool cluster-api",
            "Allowed: 1 or more; from no machine at all the cluster autoscaler can't tell what the "
            "next one would have",
        )
    if pool.kind == "gke-compute-class":
        _check_gke(pool, reader)


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
    if pool.kind == "existing" and pool.node_count % engine.pipeline_parallel:
        reader.reject(
            "nodeCount",
            f"{pool.node_count} with pipelineParallel {engine.pipeline_parallel}",
            f"Allowed: a multiple of {engine.pipeline_parallel}; the rest would be paid and idle",
        )


def _check_needed(pool: PoolSettings, kind: PoolKind, reader: ConfigReader) -> None:
    empty = {
        "nodeLabels": not pool.node_labels,
        "instanceTypes": not pool.instance_types,
        "capacityTypes": not pool.capacity_types,
        "karpenterNodeRole": not pool.karpenter.node_role,
        "karpenterDiscoveryTag": not pool.karpenter.discovery_tag,
        "clusterApiCluster": not pool.cluster_api.cluster,
        "clusterApiVersion": not pool.cluster_api.version,
        "clusterApiBootstrapTemplate": not pool.cluster_api.bootstrap_template.name,
        "clusterApiMachineTemplate": not pool.cluster_api.machine_template.name,
    }
    for key in kind.needed:
        if empty[key] and reader.usable(key):
            reader.reject(key, "empty", f"Needed with pool {pool.kind}")


def _check_gke(pool: PoolSettings, reader: ConfigReader) -> None:
    if reader.usable("gpu") and pool.gpu.name not in GKE_GPUS:
        reader.reject(
            "gpu",
            f'found "{pool.gpu.name}"',
            f"Allowed with pool gke-compute-class: {', '.join(GKE_GPUS)}"
            + (
                "; machines with this one (g4) boot from Hyperdisk only, and the pool makes and "
                "prices pd-ssd: make such nodes yourself and set pool to existing"
                if pool.gpu.name == _HYPERDISK_ONLY
                else ""
            ),
        )
    reserved = "reserved" in pool.capacity_types
    if reserved and not pool.gke.reservations and reader.usable("gkeReservations"):
        reader.reject(
            "gkeReservations",
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
