"""GPU nodes that AKS node auto-provisioning, a Karpenter, starts and stops on Azure."""

from __future__ import annotations

from breakeven.manifests.gpu_pool.karpenter import NodeClass, karpenter_pool
from breakeven.manifests.gpu_pool.pool import Pool
from breakeven.settings.stack import Stack


def karpenter_azure_pool(stack: Stack) -> Pool:
    """Returns Karpenter with Azure machines.

    Images cannot be pinned: AKS chooses the node image of a class and replaces nodes when a newer
    one comes, one at a time by the node pool's disruption budget.
    """
    node_class = NodeClass(
        group="karpenter.azure.com",
        kind="AKSNodeClass",
        template="gpu_pool/aks-node-class.yaml.j2",
        values={"volume_gigabytes": stack.pool.node_volume_gigabytes},
    )
    return karpenter_pool(stack, node_class)
