"""Namespace and network rules."""

from __future__ import annotations

from components.network.namespace import ServingNamespace
from components.network.rules import NetworkRules

__all__ = ["NetworkRules", "ServingNamespace"]
