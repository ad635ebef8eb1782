"""The kinds of files with observations. A new one is a module with its Kind, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from breakeven.cost.reconciliation.figures import FIGURES
from breakeven.cost.reconciliation.kind import Kind
from breakeven.cost.reconciliation.node_counts import NODES, REPLICAS
from breakeven.cost.reconciliation.opencost import OPENCOST
from breakeven.cost.reconciliation.opencost_api import ALLOCATION, ASSETS
from breakeven.cost.reconciliation.vllm import VLLM

KINDS: Mapping[str, Kind] = MappingProxyType(
    {kind.name: kind for kind in (VLLM, OPENCOST, ASSETS, ALLOCATION, REPLICAS, NODES, FIGURES)}
)
"""By name; the first that recognizes a file reads it."""


def detect_kind(text: str) -> Kind | None:
    """Detects a file's kind by what it holds; None for a Prometheus answer of unknown metrics."""
    return next((kind for kind in KINDS.values() if kind.recognizes(text)), None)
