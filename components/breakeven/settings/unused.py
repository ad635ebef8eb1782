"""Refuses settings that nothing reads beside the others of the stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from breakeven.catalog.pool_kinds import POOL_KINDS
from breakeven.settings.reader import ConfigReader
from breakeven.settings.stack import Settings

_POOLS = "other pools label and taint the nodes that they make themselves"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """When a setting is read.

    Attributes:
        keys: Settings that decide it.
        holds: Whether it is read.
        beside: What these settings are, in words.
        allowed: What they would have to be.
    """

    keys: tuple[str, ...]
    holds: Callable[[Settings], bool]
    beside: Callable[[Settings], str]
    allowed: str


def _of_pool(setting: str) -> _Read:
    kinds = [kind.name for kind in POOL_KINDS.values() if setting in kind.own_settings]
    return _Read(
        keys=("pool",),
        holds=lambda settings: setting in settings.pool.kind.own_settings,
        beside=lambda settings: f"pool {settings.pool.kind.name}",
        allowed=f"Allowed with pool {', '.join(kinds)}; {_POOLS}",
    )


_WHEN: Mapping[str, _Read] = {
    "nodeLabels": _of_pool("nodeLabels"),
    "nodeTaints": _of_pool("nodeTaints"),
    "gkeReservations": _Read(
        keys=("pool", "capacityTypes"),
        holds=lambda settings: (
            "gke.reservations" in settings.pool.kind.own_settings
            and "reserved" in settings.pool.capacity_types
        ),
        beside=lambda settings: (
            f"pool {settings.pool.kind.name} and capacityTypes "
            f"{', '.join(settings.pool.capacity_types) or 'empty'}"
        ),
        allowed="Allowed with pool gke-compute-class and reserved in capacityTypes",
    ),
    "clientNetworks": _Read(
        keys=("exposure",),
        holds=lambda settings: settings.network.has_load_balancer,
        beside=lambda settings: f"exposure {settings.network.exposure}",
        allowed="Allowed with exposure internal-load-balancer; who is in the cluster is named in "
        "clientNamespaces",
    ),
}


def check_unread(settings: Settings, reader: ConfigReader) -> None:
    """Rejects each setting that is stated in vain."""
    for key, read in _WHEN.items():
        if not read.holds(settings) and reader.states(key) and reader.usable(key, *read.keys):
            reader.reject(key, f"nothing reads it with {read.beside(settings)}", read.allowed)
