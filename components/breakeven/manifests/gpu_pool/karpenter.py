"""GPU nodes from Karpenter: the part that all its clouds share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from breakeven.manifests.gpu_pool.pool import GPU_RESOURCE, Pool, Scheduling, pool_name
from breakeven.manifests.resource import Resource
from breakeven.manifests.templates import render_manifest
from breakeven.settings.stack import Stack

POOL_LABEL = "breakeven/pool"

_HIGHEST_WEIGHT = 100  # Karpenter's limit


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeClass:
    """The cloud-specific part of Karpenter: how machines start.

    Attributes:
        group: API group.
        kind: Kind in that group.
        template: Its template below charts/.
        values: Values of the template in addition to the name.
    """

    group: str
    kind: str
    template: str
    values: Mapping[str, object]


def karpenter_pool(stack: Stack, node_class: NodeClass) -> Pool:
    """Returns one node class, and one node pool for each capacity type, tried in order.

    Karpenter ranks the capacity types of one pool by itself (reserved, then spot, then on-demand);
    only pools of their own, with weights, keep the order of the setting.

    Args:
        stack: The stack.
        node_class: The cloud-specific part.
    """
    name, pool = pool_name(stack), stack.pool
    manifest = render_manifest(node_class.template, {"name": name, **node_class.values})
    parent = Resource(name=name, manifest=manifest)
    resources = [parent]
    for rank, capacity_type in enumerate(pool.capacity_types):
        manifest = render_manifest(
            "gpu_pool/node-pool.yaml.j2",
            {
                "name": f"{name}-{capacity_type}",
                "node_class": name,
                "node_class_group": node_class.group,
                "node_class_kind": node_class.kind,
                "weight": _HIGHEST_WEIGHT - rank,
                "capacity_type": capacity_type,
                "instance_types": list(pool.instance_types),
                "gpus": stack.peak_gpus,
                "gpu_resource": GPU_RESOURCE,
                "labels": {POOL_LABEL: name},
            },
        )
        resources.append(
            Resource(name=f"{name}-{capacity_type}", manifest=manifest, depends_on=(parent.key,))
        )
    return Pool(
        resources=tuple(resources),
        scheduling=Scheduling.on_gpu_nodes({POOL_LABEL: name}),
        # No label and no toleration keeps the download off these nodes: none is started, and paid,
        # while the weights travel.
        weights_scheduling=Scheduling(),
    )
