"""Nodes that GKE's autoscaler starts and stops for a compute class."""

from __future__ import annotations

from breakeven.catalog.gpus import Gpu
from breakeven.catalog.pool_kinds.pool_kind import PoolKind


def _accepts(gpu: Gpu) -> bool:
    return bool(gpu.gke_accelerator) and not gpu.needs_hyperdisk


def _hint(gpu: Gpu) -> str:
    if not gpu.needs_hyperdisk:
        return ""
    return (
        "machines with this one (g4) boot from Hyperdisk only, and the pool makes and prices "
        "pd-ssd: make such nodes yourself and set pool.kind to existing"
    )


GKE_COMPUTE_CLASS = PoolKind(
    name="gke-compute-class",
    can_grow=True,
    cloud="gcp",
    is_clouds_default=True,
    purchases=("reserved", "on-demand", "spot"),
    # Every machine with a GPU that this kind accepts boots from it.
    root_volume_class="pd-ssd",
    required_settings=("instanceTypes", "capacityTypes"),
    own_settings=("gke.reservations",),
    reservations_setting="gke.reservations",
    brings_device_plugin=True,  # GKE runs it: cloud.google.com/kubernetes-engine/docs, GPUs
    custom_resources=("cloud.google.com/v1:ComputeClass",),
    accepts_gpu=_accepts,
    gpu_hint=_hint,
)
