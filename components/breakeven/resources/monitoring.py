"""Metrics, alerts and dashboards, registered."""

from __future__ import annotations

import pulumi

from breakeven.manifests.monitoring.component import monitoring_component
from breakeven.resources.component import BreakevenComponent
from breakeven.settings.stack import Settings


class Monitoring(BreakevenComponent):
    """PodMonitor, recording rules, alerts and dashboards.

    Args:
        name: Name in the program.
        settings: The stack's settings.
        namespace: Namespace of the replicas; the dashboards go to Grafana's.
        opts: Resource options.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(monitoring_component(name, settings), namespace=namespace, opts=opts)
