"""Metrics, alerts and dashboard."""

from __future__ import annotations

from components.monitoring.component import Monitoring

__all__ = ["Monitoring"]
