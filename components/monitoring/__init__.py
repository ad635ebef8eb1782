"""Metrics, alerts and dashboards."""

from __future__ import annotations

from components.monitoring.component import Monitoring
from components.monitoring.cost_rules import PlannedCostRules

__all__ = ["Monitoring", "PlannedCostRules"]
