"""What a way of getting GPU nodes can do and needs, as data that any room may ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias

from breakeven.catalog.gpus import Gpu, load_gpus

PoolPurchase: TypeAlias = Literal["reserved", "on-demand", "spot"]
"""How a cloud sells a node: from a reservation, at its list price, or until it is interrupted."""


def _any_gpu(_: Gpu) -> bool:
    return True


def _no_hint(_: Gpu) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolKind:
    """What a pool kind can do. Ask for a capability; never compare names.

    Settings are named as in a stack file, relative to the group `pool`: "karpenter.nodeRole".

    Attributes:
        name: Value of the setting `pool.kind`.
        can_grow: Whether nodes come and go with replicas; otherwise they are always there and
            always paid.
        starts_from_zero: Whether the first replica can come back after all have gone.
        cloud: Cloud that it belongs to, as named in `catalog.clouds`; None for any.
        is_clouds_default: Whether `init` and `recommend` choose it on that cloud; True for one
            kind per cloud.
        purchases: How it can buy nodes; empty if it buys none.
        purchases_hint: Why other purchases are missing, for the error message; may be empty.
        runs_in_closed_network: Whether it gets nodes without asking anything outside the network.
        root_volume_class: Storage class of the root volume that is charged for each node that it
            starts, as the price list names it (`volume/CLOUD/CLASS`); empty if nodes bring
            their own disk.
        root_volume_is_ephemeral: Whether it lies on the machine's own disk where that is large
            enough, as those of machines with GPUs are, and then costs nothing: `init` states so.
        required_settings: Settings that must not be empty.
        own_settings: Settings that have no effect with other kinds, and are refused there.
        reservations_setting: Setting that must name the reservations if nodes are bought as
            reserved; empty if the platform finds reservations itself, or has none.
        starter_settings: Settings that `init` writes into a new stack; "{stack}" stands for the
            name of the stack.
        custom_resources: What it deploys, as GROUP/VERSION:KIND. The cluster must have their
            definitions, and nodes are priced with the pool, so that these add no cost.
        brings_device_plugin: Whether its nodes come with the device plugin of their GPUs.
        uses_management_cluster: Whether these lie in a namespace of a management cluster.
        accepts_gpu: Whether it can start nodes with a GPU.
        gpu_hint: Why it cannot and what to do instead, for the error message; may be empty.
    """

    name: str
    can_grow: bool
    starts_from_zero: bool = True
    cloud: str | None = None
    is_clouds_default: bool = False
    purchases: tuple[PoolPurchase, ...] = ()
    purchases_hint: str = ""
    runs_in_closed_network: bool = False
    root_volume_class: str = ""
    root_volume_is_ephemeral: bool = False
    required_settings: tuple[str, ...] = ()
    own_settings: tuple[str, ...] = ()
    reservations_setting: str = ""
    starter_settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    custom_resources: tuple[str, ...] = ()
    brings_device_plugin: bool = False
    uses_management_cluster: bool = False
    accepts_gpu: Callable[[Gpu], bool] = _any_gpu
    gpu_hint: Callable[[Gpu], str] = _no_hint

    def supports(self, purchase: str) -> bool:
        """Whether it can buy nodes like this: reserved, on-demand or spot."""
        return purchase in self.purchases

    @property
    def gpus(self) -> tuple[str, ...]:
        """Names of the known GPUs that it can start nodes with."""
        return tuple(name for name, gpu in load_gpus().items() if self.accepts_gpu(gpu))

    @property
    def restricts_gpus(self) -> bool:
        """Whether it cannot use some of the known GPUs."""
        return len(self.gpus) < len(load_gpus())
