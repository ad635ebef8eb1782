"""Pool kinds: the ways to get GPU nodes, and what each can do.

A new kind is a module here with its `PoolKind`, a line in `POOL_KINDS`, and its renderer in
`breakeven.manifests.gpu_pool`.
"""

from __future__ import annotations

from breakeven.catalog.pool_kinds.cluster_api import CLUSTER_API
from breakeven.catalog.pool_kinds.existing import EXISTING
from breakeven.catalog.pool_kinds.gke_compute_class import GKE_COMPUTE_CLASS
from breakeven.catalog.pool_kinds.karpenter_aws import KARPENTER_AWS
from breakeven.catalog.pool_kinds.karpenter_azure import KARPENTER_AZURE
from breakeven.catalog.pool_kinds.pool_kind import PoolKind

__all__ = ["EXISTING", "POOL_KINDS", "PoolKind", "default_pool_kind", "is_pool_resource"]

POOL_KINDS: dict[str, PoolKind] = {
    kind.name: kind
    for kind in (
        EXISTING,
        KARPENTER_AWS,
        KARPENTER_AZURE,
        GKE_COMPUTE_CLASS,
        CLUSTER_API,
    )
}
"""All pool kinds by name. Read it when it is needed: a test may add one."""


def default_pool_kind(cloud: str) -> PoolKind:
    """Returns the kind that `init` and `recommend` choose on a cloud.

    Where none starts nodes they are there: a GPU cloud's machines, or the user's own.

    Args:
        cloud: Name of the cloud, as in `catalog.clouds`.
    """
    for kind in POOL_KINDS.values():
        if kind.cloud == cloud and kind.is_clouds_default:
            return kind
    return EXISTING


def is_pool_resource(resource: str) -> bool:
    """Whether a pool kind deploys such a custom resource.

    Args:
        resource: GROUP/VERSION:KIND, such as "karpenter.sh/v1:NodePool".
    """
    return any(resource in kind.custom_resources for kind in POOL_KINDS.values())
