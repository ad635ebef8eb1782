"""GPU nodes that are there: on-premises, or made by someone else in any cloud."""

from __future__ import annotations

import pulumi
from breakeven.manifests.gpu_pool.pool import GpuPool, Scheduling
from breakeven.settings.stack import Settings


class ExistingPool(GpuPool):
    """Nodes found by their labels; nothing is made."""

    def __init__(self, settings: Settings, opts: pulumi.ResourceOptions | None) -> None:
        super().__init__(settings, opts)
        self.scheduling = Scheduling.on_gpu_nodes(
            settings.pool.node_labels, settings.pool.node_taints
        )
        # The nodes are paid whether they work or not, so the weights are fetched on them: a volume
        # on a node's own disk is made where its first pod runs, and must be where it is read.
        self.weights_scheduling = self.scheduling
        self.register_outputs({})
