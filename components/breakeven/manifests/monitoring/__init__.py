"""Metrics, alerts and dashboards."""

from __future__ import annotations

from breakeven.manifests.monitoring.component import Monitoring
from breakeven.manifests.monitoring.cost_rules import PlannedCostRules

__all__ = ["Monitoring", "PlannedCostRules"]
