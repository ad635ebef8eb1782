"""GPU nodes, registered."""

from __future__ import annotations

import pulumi
from breakeven.manifests.gpu_pool import pool_of
from breakeven.manifests.gpu_pool.pool import Pool, pool_component
from breakeven.resources.component import BreakevenComponent
from breakeven.settings.stack import Settings


class GpuPool(BreakevenComponent):
    """GPU nodes.

    Attributes:
        pool: Where pods go.
    """

    pool: Pool

    def __init__(self, settings: Settings, opts: pulumi.ResourceOptions | None) -> None:
        self.pool = pool_of(settings)
        super().__init__(pool_component(settings, self.pool), opts=opts)


def create_pool(settings: Settings, *, opts: pulumi.ResourceOptions | None = None) -> GpuPool:
    """Makes the GPU nodes of a stack, or finds them."""
    return GpuPool(settings, opts)
