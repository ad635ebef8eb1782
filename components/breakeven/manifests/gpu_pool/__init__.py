"""GPU nodes, with one module for each way of getting them.

A new pool kind is a function in a module here and a line in `POOLS`; what it can do is declared in
`breakeven.catalog.pool_kinds`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from breakeven.manifests.gpu_pool.cluster_api import cluster_api_pool
from breakeven.manifests.gpu_pool.existing import existing_pool
from breakeven.manifests.gpu_pool.gke_compute_class import gke_compute_class_pool
from breakeven.manifests.gpu_pool.karpenter_aws import karpenter_aws_pool
from breakeven.manifests.gpu_pool.karpenter_azure import karpenter_azure_pool
from breakeven.manifests.gpu_pool.pool import Pool
from breakeven.settings.stack import Stack

POOLS: Mapping[str, Callable[[Stack], Pool]] = {
    "existing": existing_pool,
    "karpenter-aws": karpenter_aws_pool,
    "karpenter-azure": karpenter_azure_pool,
    "gke-compute-class": gke_compute_class_pool,
    "cluster-api": cluster_api_pool,
}


def pool_of(stack: Stack) -> Pool:
    """Returns the GPU nodes of a stack."""
    return POOLS[stack.pool.kind.name](stack)
