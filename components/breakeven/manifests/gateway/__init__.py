"""The gateway in front of the model: one address, teams' keys and budgets, overflow to an API."""

from __future__ import annotations

from breakeven.manifests.gateway.component import Gateway
from breakeven.manifests.gateway.prices import TokenPrices

__all__ = ["Gateway", "TokenPrices"]
