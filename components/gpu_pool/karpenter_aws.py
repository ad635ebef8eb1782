"""GPU nodes that Karpenter starts and stops on AWS."""

from __future__ import annotations

import pulumi

from components.gpu_pool.pool import GPU_RESOURCE, GpuPool, Scheduling, pool_name
from components.manifests import custom_resource
from components.settings_types import Settings
from components.templates import render

POOL_LABEL = "breakeven/pool"

_HIGHEST_WEIGHT = 100  # Karpenter's limit


class KarpenterAwsPool(GpuPool):
    """One node class, and one node pool for each capacity type, tried in order.

    Karpenter ranks the capacity types of one pool by itself (reserved, then spot, then on-demand);
    only pools of their own, with weights, keep the order of the setting.
    """

    def __init__(self, settings: Settings, opts: pulumi.ResourceOptions | None) -> None:
        super().__init__(settings, opts)
        name, pool = pool_name(settings), settings.pool
        [node_class] = render(
            "gpu_pool/ec2-node-class.yaml.j2",
            {
                "name": name,
                "image": pool.karpenter_node_image,
                "role": pool.karpenter_node_role,
                "discovery": pool.karpenter_discovery_tag,
                "volume_size": f"{pool.node_volume_gigabytes}Gi",
                "reserved": "reserved" in pool.capacity_types,
            },
        )
        parent = self.add(custom_resource(node_class, opts=self.child_options()))
        for rank, capacity_type in enumerate(pool.capacity_types):
            [node_pool] = render(
                "gpu_pool/node-pool.yaml.j2",
                {
                    "name": f"{name}-{capacity_type}",
                    "node_class": name,
                    "weight": _HIGHEST_WEIGHT - rank,
                    "capacity_type": capacity_type,
                    "instance_types": list(pool.instance_types),
                    "gpus": most_gpus(settings),
                    "gpu_resource": GPU_RESOURCE,
                    "labels": {POOL_LABEL: name},
                },
            )
            self.add(custom_resource(node_pool, opts=self.child_options(depends_on=[parent])))
        self.scheduling = Scheduling.on_gpu_nodes({POOL_LABEL: name})
        # No label and no toleration keeps the download off these nodes: none is started, and paid,
        # while the weights travel.
        self.weights_scheduling = Scheduling()
        self.register_outputs({})


def most_gpus(settings: Settings) -> int:
    """Returns the GPUs that may run at once: those of all replicas, in whole nodes.

    To replace a drifted node Karpenter may go above it by one node for a moment, because it asks
    whether the limit is exceeded already (Provisioner.Create).
    """
    replicas = settings.replicas.highest + settings.surge_replicas
    nodes = -(-replicas // settings.replicas_per_node)
    return nodes * settings.pool.gpus_per_node
