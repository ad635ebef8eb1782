"""Namespace and network rules."""

from __future__ import annotations

from breakeven.manifests.network.namespace import ServingNamespace
from breakeven.manifests.network.rules import NetworkRules

__all__ = ["NetworkRules", "ServingNamespace"]
