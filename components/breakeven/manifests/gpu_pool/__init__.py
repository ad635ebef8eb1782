"""GPU nodes behind one interface, with one module for each way of getting them.

A further way is a subclass of GpuPool in a module of its own, an entry in POOL_CLASSES, and its
name in the settings.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from breakeven.manifests.gpu_pool.cluster_api import ClusterApiPool
from breakeven.manifests.gpu_pool.existing import ExistingPool
from breakeven.manifests.gpu_pool.gke_compute_class import GkeComputeClassPool
from breakeven.manifests.gpu_pool.karpenter_aws import KarpenterAwsPool
from breakeven.manifests.gpu_pool.karpenter_azure import KarpenterAzurePool
from breakeven.manifests.gpu_pool.pool import GpuPool, Scheduling
from breakeven.settings.stack import Settings

__all__ = ["POOL_CLASSES", "GpuPool", "Scheduling", "create_pool"]

POOL_CLASSES: Mapping[str, type[GpuPool]] = {
    "existing": ExistingPool,
    "karpenter-aws": KarpenterAwsPool,
    "karpenter-azure": KarpenterAzurePool,
    "gke-compute-class": GkeComputeClassPool,
    "cluster-api": ClusterApiPool,
}


def create_pool(settings: Settings, *, opts: pulumi.ResourceOptions | None = None) -> GpuPool:
    """Makes the GPU nodes of a stack, or finds them."""
    return POOL_CLASSES[settings.pool.kind.name](settings, opts)
