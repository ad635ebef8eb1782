"""Grafana dashboards, one for each reader: on call, capacity owner, finance."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from breakeven.manifests.monitoring.dashboards.board import Board
from breakeven.manifests.monitoring.dashboards.capacity import capacity
from breakeven.manifests.monitoring.dashboards.finance import finance
from breakeven.manifests.monitoring.dashboards.on_call import on_call
from breakeven.settings.stack import Settings

DASHBOARDS: Mapping[str, Callable[[Settings], Board]] = {
    "on-call": on_call,
    "capacity": capacity,
    "finance": finance,
}
"""The dashboards by name."""


def dashboard_json(name: str, settings: Settings) -> str:
    """Returns a dashboard as Grafana reads it.

    Args:
        name: A name of `DASHBOARDS`.
        settings: The stack's settings.
    """
    dashboard = DASHBOARDS[name](settings).build()
    return json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True)
