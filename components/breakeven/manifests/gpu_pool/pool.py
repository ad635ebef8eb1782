"""The interface that all ways of getting GPU nodes share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from breakeven.manifests.resource import Component, Resource
from breakeven.settings.stack import CANDIDATE, Stack

GPU_RESOURCE = "nvidia.com/gpu"
"""Taint of the nodes that pools start; existing nodes may have other taints."""

_LONGEST = 63
"""Maximum length of a node pool's name, which is also a label value."""
_PURCHASE = "-on-demand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduling:
    """Scheduling of pods: required node labels, and tolerated taints."""

    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerated_taints: tuple[str, ...] = ()

    @classmethod
    def on_gpu_nodes(
        cls, labels: Mapping[str, str], taints: Iterable[str] = (), gpu_taint: str = GPU_RESOURCE
    ) -> Scheduling:
        """Returns the scheduling of pods that go to the GPU nodes with these labels.

        Args:
            labels: Labels of the nodes.
            taints: Keys of their taints, except the GPU's.
            gpu_taint: Key of the GPU's taint; empty if nodes have none.
        """
        keys = dict.fromkeys((*([gpu_taint] if gpu_taint else []), *taints))
        return cls(node_selector=dict(labels), tolerated_taints=tuple(keys))

    @property
    def tolerations(self) -> list[dict[str, Any]]:
        """The taints as a pod's tolerations.

        Their values differ (GKE "present", EKS blueprints "Exists", others "true"), so keys alone
        are matched.
        """
        return [{"key": key, "operator": "Exists"} for key in self.tolerated_taints]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """GPU nodes: the resources that create them, and the scheduling of pods.

    Attributes:
        resources: Resources that create the nodes; empty if the nodes exist.
        scheduling: For pods that serve.
        weights_scheduling: For the pod that fills the weights volume. It needs no GPU.
    """

    resources: tuple[Resource, ...] = ()
    scheduling: Scheduling
    weights_scheduling: Scheduling

    @property
    def fetches_where_it_serves(self) -> bool:
        """Whether the pod that fills the weights volume runs on the nodes that read it."""
        return self.weights_scheduling == self.scheduling


def pool_component(stack: Stack, pool: Pool) -> Component:
    """Returns the nodes of a stack as a component, whose inputs are priced."""
    group, first = stack.pool, stack.models[0]
    return Component(
        type="breakeven:gpu_pool:GpuPool",
        name=pool_name(stack),
        inputs={
            "kind": group.kind.name,
            "gpu": group.gpu.name,
            "gpusPerNode": group.gpus_per_node,
            "replicasPerNode": first.replicas_per_node,
            "instanceTypes": list(group.instance_types),
            "capacityTypes": list(group.capacity_types),
            "nodeCount": group.node_count,
            "nodeVolumeGigabytes": group.node_volume_gigabytes,
            # Marks a candidate's own nodes, which the model's bill leaves out.
            **({"instance": first.name} if first.is_candidate else {}),
        },
        resources=pool.resources,
    )


def pool_name(stack: Stack) -> str:
    """Returns the pool's name. The namespace is the stack's own, so no other stack uses it."""
    namespace = stack.network.namespace
    ending = f"-gpu-{CANDIDATE}" if stack.models[0].is_candidate else "-gpu"
    longest = _LONGEST - len(ending) - len(_PURCHASE)
    if len(namespace) > longest:
        digest = hashlib.sha256(namespace.encode()).hexdigest()[:8]
        namespace = f"{namespace[: longest - 9]}-{digest}"
    return f"{namespace}{ending}"
