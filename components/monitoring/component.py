"""What Prometheus reads, when it calls someone, and what Grafana shows."""

from __future__ import annotations

import hashlib
import json

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.base import KitComponent
from components.manifests import custom_resource
from components.monitoring.promql import engine_selector, namespace_selector, target_selector
from components.serving.labels import ENGINE_LABELS, ENGINE_PORT_NAME, NAME
from components.serving.timings import NODE_START, timings_of
from components.settings_types import Settings
from components.templates import render

# Beyond what a start or a node may take at most, before someone is called.
_PATIENCE_SECONDS = 300


class Monitoring(KitComponent):
    """PodMonitor, alert rules and a dashboard.

    Args:
        name: Name in the program.
        settings: The stack's settings.
        namespace: Namespace of the replicas; the dashboard goes to Grafana's.
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
        objective = str(settings.monitoring.time_to_first_token_seconds)
        super().__init__(
            "monitoring:Monitoring", name, {"timeToFirstTokenSeconds": objective}, opts
        )
        [pod_monitor] = render(
            "monitoring/pod-monitor.yaml.j2",
            {"name": NAME, "labels": dict(ENGINE_LABELS), "port_name": ENGINE_PORT_NAME},
        )
        [alerts] = render(
            "monitoring/alerts.yaml.j2",
            {
                **_series(settings),
                "name": NAME,
                "group": f"{settings.network.namespace}-{NAME}",
                "cluster": namespace_selector(settings),
                "startup_seconds": timings_of(settings).startup_budget + _PATIENCE_SECONDS,
                "node_seconds": NODE_START + _PATIENCE_SECONDS,
                "target_waiting": settings.replicas.target_waiting,
                "objective": objective,
                "autoscaling": settings.replicas.autoscaling,
            },
        )
        for manifest in (pod_monitor, alerts):
            self.add(custom_resource(manifest, namespace=namespace, opts=self.child_options()))
        self._add_dashboard(settings)
        self.register_outputs({})

    def _add_dashboard(self, settings: Settings) -> None:
        namespace = settings.network.namespace
        # Grafana allows 40 characters, a namespace has up to 63.
        uid = f"breakeven-{hashlib.sha256(namespace.encode()).hexdigest()[:12]}"
        [dashboard] = render("monitoring/dashboard.json.j2", {**_series(settings), "uid": uid})
        name = f"{namespace}-{NAME}-dashboard"
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
                data={f"{name}.json": json.dumps(dashboard, indent=2)},
                opts=self.child_options(),
            )
        )


def _series(settings: Settings) -> dict[str, object]:
    return {
        "model": settings.model.facts.name,
        "namespace": settings.network.namespace,
        "selector": engine_selector(settings),
        "targets": target_selector(settings),
    }
