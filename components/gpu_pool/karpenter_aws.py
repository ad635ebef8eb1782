"""GPU nodes that Karpenter starts and stops on AWS."""

from __future__ import annotations

import pulumi

from components.gpu_pool.karpenter import KarpenterPool, NodeClass
from components.settings_types import Settings


class KarpenterAwsPool(KarpenterPool):
    """Karpenter with EC2 machines."""

    def __init__(self, settings: Settings, opts: pulumi.ResourceOptions | None) -> None:
        pool = settings.pool
        super().__init__(
            settings,
            NodeClass(
                group="karpenter.k8s.aws",
                kind="EC2NodeClass",
                template="gpu_pool/ec2-node-class.yaml.j2",
                values={
                    "image": pool.karpenter_node_image,
                    "role": pool.karpenter_node_role,
                    "discovery": pool.karpenter_discovery_tag,
                    "volume_size": f"{pool.node_volume_gigabytes}Gi",
                    "reserved": "reserved" in pool.capacity_types,
                },
            ),
            opts,
        )
