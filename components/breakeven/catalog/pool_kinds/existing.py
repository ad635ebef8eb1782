"""Nodes that are there: on-premises, or made by someone else in any cloud."""

from __future__ import annotations

from breakeven.catalog.pool_kinds.pool_kind import PoolKind

EXISTING = PoolKind(
    name="existing",
    can_grow=False,
    runs_in_closed_network=True,
    required_settings=("nodeLabels",),
    own_settings=("nodeLabels", "nodeTaints"),
)
