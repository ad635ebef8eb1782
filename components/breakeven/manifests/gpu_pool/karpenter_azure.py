"""GPU nodes that AKS node auto-provisioning, a Karpenter, starts and stops on Azure."""

from __future__ import annotations

import pulumi
from breakeven.manifests.gpu_pool.karpenter import KarpenterPool, NodeClass
from breakeven.settings.stack import Settings


class KarpenterAzurePool(KarpenterPool):
    """Karpenter with Azure machines.

    Images can't be pinned: AKS chooses the node image of a class and replaces nodes when a newer
    one comes, one at a time by the node pool's disruption budget.
    """

    def __init__(self, settings: Settings, opts: pulumi.ResourceOptions | None) -> None:
        super().__init__(
            settings,
            NodeClass(
                group="karpenter.azure.com",
                kind="AKSNodeClass",
                template="gpu_pool/aks-node-class.yaml.j2",
                values={"volume_gigabytes": settings.pool.node_volume_gigabytes},
            ),
            opts,
        )
