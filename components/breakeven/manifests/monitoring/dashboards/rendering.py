"""Builds a dashboard and writes it as Grafana reads it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from breakeven.manifests.monitoring.dashboards.board import Board
from breakeven.manifests.monitoring.dashboards.capacity import capacity
from breakeven.manifests.monitoring.dashboards.finance import finance
from breakeven.manifests.monitoring.dashboards.on_call import on_call
from breakeven.settings.stack import Settings

_BOARDS: Mapping[str, Callable[[Settings], Board]] = {
    "on-call": on_call,
    "capacity": capacity,
    "finance": finance,
}


def rendered(name: str, settings: Settings) -> str:
    """Returns a dashboard's JSON; arguments as in `dashboard_json`."""
    dashboard = _BOARDS[name](settings).build()
    return json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True)
