"""Nodes that Karpenter starts and stops on AWS."""

from __future__ import annotations

from types import MappingProxyType

from breakeven.catalog.pool_kinds.pool_kind import PoolKind

KARPENTER_AWS = PoolKind(
    name="karpenter-aws",
    can_grow=True,
    cloud="aws",
    is_clouds_default=True,
    purchases=("reserved", "on-demand", "spot"),
    root_volume_class="gp3",
    required_settings=(
        "instanceTypes",
        "capacityTypes",
        "karpenter.nodeRole",
        "karpenter.discoveryTag",
    ),
    starter_settings=MappingProxyType(
        {
            "karpenter.nodeRole": "KarpenterNodeRole-{stack}",
            "karpenter.discoveryTag": "{stack}",
        }
    ),
    custom_resources=("karpenter.sh/v1:NodePool", "karpenter.k8s.aws/v1:EC2NodeClass"),
)
