"""What Prometheus reads, when it calls someone, and what Grafana shows."""

from __future__ import annotations

from pulumi_kubernetes.core.v1 import ConfigMap
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

import pulumi
from breakeven.manifests.monitoring.dashboards import DASHBOARDS, dashboard_json
from breakeven.manifests.monitoring.rules import rule_manifests
from breakeven.manifests.serving.labels import ENGINE_PORT_NAME, engine_labels
from breakeven.manifests.templates import render
from breakeven.resources.component import KitComponent
from breakeven.resources.custom_resource import custom_resource
from breakeven.settings.stack import Settings


class Monitoring(KitComponent):
    """PodMonitor, recording rules, alerts and dashboards.

    What needs the estimate's figures is `PlannedCostRules`.

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
        monitoring = settings.monitoring
        super().__init__(
            "monitoring:Monitoring",
            name,
            {
                "timeToFirstTokenSeconds": str(settings.traffic.time_to_first_token_seconds),
                "interTokenLatencySeconds": str(settings.traffic.inter_token_latency_seconds),
                "gpuMetrics": monitoring.gpu_metrics,
            },
            opts,
        )
        [pod_monitor] = render(
            "monitoring/pod-monitor.yaml.j2",
            {
                "name": settings.name,
                "labels": engine_labels(settings),
                "port_name": ENGINE_PORT_NAME,
            },
        )
        for manifest in (pod_monitor, *rule_manifests(settings)):
            self.add(custom_resource(manifest, namespace=namespace, opts=self.child_options()))
        for dashboard in DASHBOARDS:
            self._add_dashboard(dashboard, settings)
        self.register_outputs({})

    def _add_dashboard(self, dashboard: str, settings: Settings) -> None:
        name = f"{settings.network.namespace}-{settings.name}-{dashboard}"
        self.add(
            ConfigMap(
                name,
                metadata=ObjectMetaArgs(
                    name=name,
                    namespace=settings.monitoring.namespace,
                    labels={
                        "app.kubernetes.io/part-of": "breakeven",
                        # What the side car of Grafana's chart looks for.
                        "grafana_dashboard": "1",
                    },
                ),
                data={f"{name}.json": dashboard_json(dashboard, settings)},
                opts=self.child_options(),
            )
        )
