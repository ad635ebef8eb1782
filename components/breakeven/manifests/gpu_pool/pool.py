"""The interface that all ways of getting GPU nodes share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pulumi_kubernetes.core.v1 import TolerationArgs

import pulumi
from breakeven.resources.component import KitComponent
from breakeven.settings.stack import Settings

GPU_RESOURCE = "nvidia.com/gpu"

_LONGEST = 63 - len("-gpu-on-demand")
"""Of a namespace in the names of a node pool, which are values of labels, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduling:
    """Where pods go: labels that a node must have, and taints that do not keep them away."""

    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerated_taints: tuple[str, ...] = ()

    @classmethod
    def on_gpu_nodes(cls, labels: Mapping[str, str], taints: Iterable[str] = ()) -> Scheduling:
        """Returns the scheduling of pods that go to the GPU nodes with these labels.

        Args:
            labels: Labels of the nodes.
            taints: Keys of their taints, beside the GPU's own.
        """
        keys = dict.fromkeys((GPU_RESOURCE, *taints))
        return cls(node_selector=dict(labels), tolerated_taints=tuple(keys))

    @property
    def tolerations(self) -> list[TolerationArgs]:
        """The taints as a pod states them.

        Their values differ (GKE "present", EKS blueprints "Exists", others "true"), so keys alone
        are matched.
        """
        return [TolerationArgs(key=key, operator="Exists") for key in self.tolerated_taints]


class GpuPool(KitComponent):
    """GPU nodes.

    Attributes:
        scheduling: For pods that serve.
        weights_scheduling: For the pod that fills the weights volume. It needs no GPU.
    """

    scheduling: Scheduling
    weights_scheduling: Scheduling

    def __init__(self, settings: Settings, opts: pulumi.ResourceOptions | None) -> None:
        pool = settings.pool
        super().__init__(
            "gpu_pool:GpuPool",
            pool_name(settings),
            {
                "kind": pool.kind.name,
                "gpu": pool.gpu.name,
                "gpusPerNode": pool.gpus_per_node,
                "replicasPerNode": settings.replicas_per_node,
                "instanceTypes": list(pool.instance_types),
                "capacityTypes": list(pool.capacity_types),
                "nodeCount": pool.node_count,
                "nodeVolumeGigabytes": pool.node_volume_gigabytes,
            },
            opts,
        )

    @property
    def fetches_where_it_serves(self) -> bool:
        """Whether the pod that fills the weights volume runs on the nodes that read it."""
        return self.weights_scheduling == self.scheduling


def pool_name(settings: Settings) -> str:
    """Returns the pool's name. The namespace is the stack's own, so no other stack uses it."""
    namespace = settings.network.namespace
    if len(namespace) > _LONGEST:
        digest = hashlib.sha256(namespace.encode()).hexdigest()[:8]
        namespace = f"{namespace[: _LONGEST - 9]}-{digest}"
    return f"{namespace}-gpu"
