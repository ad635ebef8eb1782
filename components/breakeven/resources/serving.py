"""The model server, registered."""

from __future__ import annotations

import pulumi

from breakeven.manifests.serving.component import serving_component
from breakeven.manifests.serving.labels import replicas_key
from breakeven.resources.component import BreakevenComponent
from breakeven.resources.gpu_pool import GpuPool
from breakeven.settings.stack import Settings


class VllmServing(BreakevenComponent):
    """vLLM behind one address: weights, replicas, disruption budget, Service.

    Attributes:
        service_name: Name of the Service.
        deployment: The replicas, a Deployment or a LeaderWorkerSet; ready when all of them are.

    Args:
        name: Name in the program.
        settings: The stack's settings.
        pool: GPU nodes to run on.
        namespace: Namespace to live in.
        opts: Resource options.
    """

    service_name: str
    deployment: pulumi.Resource

    def __init__(
        self,
        name: str,
        settings: Settings,
        pool: GpuPool,
        *,
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(
            serving_component(name, settings, pool.pool), namespace=namespace, opts=opts
        )
        self.service_name = settings.name
        self.deployment = self.by_key[replicas_key(settings)]
