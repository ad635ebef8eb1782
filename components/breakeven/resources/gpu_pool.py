"""GPU nodes, registered."""

from __future__ import annotations

import pulumi

from breakeven.manifests.gpu_pool import pool_of
from breakeven.manifests.gpu_pool.pool import Pool, pool_component
from breakeven.resources.component import BreakevenComponent
from breakeven.settings.stack import Stack


class GpuPool(BreakevenComponent):
    """GPU nodes.

    Attributes:
        pool: Where pods go.
    """

    pool: Pool

    def __init__(self, stack: Stack, opts: pulumi.ResourceOptions | None) -> None:
        self.pool = pool_of(stack)
        super().__init__(pool_component(stack, self.pool), opts=opts)


def create_pool(stack: Stack, *, opts: pulumi.ResourceOptions | None = None) -> GpuPool:
    """Makes the GPU nodes of a stack, or finds them."""
    return GpuPool(stack, opts)
