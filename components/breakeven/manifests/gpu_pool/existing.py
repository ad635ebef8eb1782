"""Existing GPU nodes: on-premises, or created by someone else in any cloud."""

from __future__ import annotations

from breakeven.manifests.gpu_pool.pool import Pool, Scheduling
from breakeven.settings.stack import Stack


def existing_pool(stack: Stack) -> Pool:
    """Returns nodes that are selected by labels; nothing is created."""
    pool = stack.pool
    scheduling = Scheduling.on_gpu_nodes(pool.node_labels, pool.node_taints, pool.gpu.taint)
    # The nodes are paid whether they work or not, so the weights are fetched on them: a volume on
    # a node's own disk is made where its first pod runs, and must be where it is read.
    return Pool(scheduling=scheduling, weights_scheduling=scheduling)
