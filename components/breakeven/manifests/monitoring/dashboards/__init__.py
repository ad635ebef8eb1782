"""Grafana dashboards, one for each reader: on call, capacity owner, finance.

Grafana's builders take a twentieth of an estimate's time to load, and an estimate needs only the
names of the dashboards. So they are loaded when a dashboard is written.
"""

from __future__ import annotations

from breakeven.settings.stack import Settings

DASHBOARDS = ("on-call", "capacity", "finance")
"""The dashboards by name."""


def dashboard_json(name: str, settings: Settings) -> str:
    """Returns a dashboard as Grafana reads it.

    Args:
        name: A name of `DASHBOARDS`.
        settings: The stack's settings.
    """
    from breakeven.manifests.monitoring.dashboards.rendering import (  # noqa: PLC0415  # see above
        rendered,
    )

    return rendered(name, settings)
