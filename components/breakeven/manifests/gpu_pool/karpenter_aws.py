"""GPU nodes that Karpenter starts and stops on AWS."""

from __future__ import annotations

from breakeven.manifests.gpu_pool.karpenter import NodeClass, karpenter_pool
from breakeven.manifests.gpu_pool.pool import Pool
from breakeven.settings.pool import PoolSettings
from breakeven.settings.stack import Stack

_SYSTEM = 4
"""Size of Bottlerocket's system volume in GB: Karpenter's default."""


def karpenter_aws_pool(stack: Stack) -> Pool:
    """Returns Karpenter with EC2 machines."""
    pool = stack.pool
    node_class = NodeClass(
        group="karpenter.k8s.aws",
        kind="EC2NodeClass",
        template="gpu_pool/ec2-node-class.yaml.j2",
        values={
            "image": pool.karpenter.node_image,
            "role": pool.karpenter.node_role,
            "discovery": pool.karpenter.discovery_tag,
            "volumes": _volumes(pool),
            "reserved": "reserved" in pool.capacity_types,
        },
    )
    return karpenter_pool(stack, node_class)


def _volumes(pool: PoolSettings) -> list[tuple[str, int]]:
    """Returns a node's volumes by device, in GB; their sum is what is priced."""
    size = pool.node_volume_gigabytes
    if pool.karpenter.node_image.startswith("bottlerocket@"):
        # The system is on a separate device; images and caches are on the other.
        return [("/dev/xvda", _SYSTEM), ("/dev/xvdb", size - _SYSTEM)]
    return [("/dev/xvda", size)]
