"""What Prometheus scrapes, when it alerts, and what Grafana shows."""

from __future__ import annotations

from functools import partial
from typing import Any

from breakeven.manifests.monitoring.dashboards import DASHBOARDS, dashboard_json
from breakeven.manifests.monitoring.rules import rule_resources
from breakeven.manifests.resource import Component, LazyManifest, Resource
from breakeven.manifests.serving.labels import ENGINE_PORT_NAME, engine_labels
from breakeven.manifests.templates import render_manifest
from breakeven.settings.stack import Settings


def monitoring_component(name: str, settings: Settings) -> Component:
    """Returns PodMonitor, recording rules, alerts and dashboards of one model.

    Resources that need the estimate's figures are in `planned_cost_component`.

    Args:
        name: Name in the program.
        settings: The stack's settings; the dashboards go to Grafana's namespace.
    """
    monitoring = settings.monitoring
    return Component(
        type="breakeven:monitoring:Monitoring",
        name=name,
        namespace=settings.network.namespace,
        inputs={
            "timeToFirstTokenSeconds": str(settings.traffic.time_to_first_token_seconds),
            "interTokenLatencySeconds": str(settings.traffic.inter_token_latency_seconds),
            "gpuMetrics": monitoring.gpu_metrics,
        },
        resources=(
            _pod_monitor(settings),
            *rule_resources(settings),
            *(_dashboard(dashboard, settings) for dashboard in DASHBOARDS),
        ),
    )


def scraping_component(name: str, settings: Settings) -> Component:
    """Returns the PodMonitor of a candidate, whose metrics the model's dashboards show.

    Args:
        name: Name in the program.
        settings: The candidate's settings.
    """
    return Component(
        type="breakeven:monitoring:Monitoring",
        name=name,
        namespace=settings.network.namespace,
        resources=(_pod_monitor(settings),),
    )


def _pod_monitor(settings: Settings) -> Resource:
    manifest = render_manifest(
        "monitoring/pod-monitor.yaml.j2",
        {
            "name": settings.name,
            "labels": engine_labels(settings),
            "port_name": ENGINE_PORT_NAME,
            "is_https": settings.network.tls_secret is not None,
        },
        namespace=settings.network.namespace,
    )
    return Resource(name=settings.name, manifest=manifest)


def _dashboard(dashboard: str, settings: Settings) -> Resource:
    name = f"{settings.network.namespace}-{settings.name}-{dashboard}"
    render = partial(_config_map, name, dashboard, settings)
    return Resource(name=name, manifest=LazyManifest("v1", "ConfigMap", render))


def _config_map(name: str, dashboard: str, settings: Settings) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": settings.monitoring.namespace,
            "labels": {
                "app.kubernetes.io/part-of": "breakeven",
                # The label that the sidecar of Grafana's chart looks for.
                "grafana_dashboard": "1",
            },
        },
        "data": {f"{name}.json": dashboard_json(dashboard, settings)},
    }
