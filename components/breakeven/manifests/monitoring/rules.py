"""Recording rules and alerts: templates of charts/monitoring/rules, filled in for a stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from breakeven.manifests.monitoring.gpu_exporter import exporter_of
from breakeven.manifests.monitoring.promql import (
    engine_selector,
    exported_namespace_selector,
    exported_pod_selector,
    gateway_target_selector,
    model_selector,
    namespace_selector,
    one_of,
    pod_selector,
    replicas_asked_for,
    replicas_ready,
    target_selector,
    wanted_requests,
)
from breakeven.manifests.resource import LazyManifest, Resource
from breakeven.manifests.serving.sizes import replica_gpus
from breakeven.manifests.serving.timings import NODE_START, timings_of
from breakeven.manifests.templates import render_manifest
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import RolloutCandidate, Settings

PATIENCE_SECONDS = 300
"""Time beyond the maximum for a start or a node before an alert."""


def rule_resources(settings: Settings) -> Iterator[Resource]:
    """Yields the PrometheusRules without estimates: recording rules, and alerts by concern.

    Args:
        settings: The stack's settings.
    """
    concerns = ["recording", "serving", "latency", "scaling"]
    if settings.monitoring.gpu_metrics:
        concerns.append("gpu")
    if settings.gateway.is_on and not settings.qualifier:  # one gateway for all models
        concerns.append("gateway")
    if settings.tried is not None:
        concerns.append("candidate")
    for concern in concerns:
        manifest = LazyManifest(
            "monitoring.coreos.com/v1",
            "PrometheusRule",
            partial(_manifest, settings, concern),
        )
        yield Resource(name=f"{settings.name}-{concern}", manifest=manifest)


def _manifest(settings: Settings, concern: str) -> dict[str, Any]:
    values = _values(settings)
    if settings.gateway.is_on:
        values |= _gateway_values(settings, settings.gateway)
    if settings.tried is not None:
        values |= _candidate_values(settings, settings.tried)
    return rule_manifest(settings, concern, values)


def rule_manifest(settings: Settings, concern: str, values: Mapping[str, object]) -> dict[str, Any]:
    """Renders the rules of one concern and adds their common parts.

    Recorded series and alerts carry the stack's namespace; an alert also its model and the address
    of its runbook, which is the section of its name on the page of its concern.

    Args:
        settings: The stack's settings.
        concern: Name of the template, and of the page in docs/runbooks.
        values: Values of this template in addition to the common ones.
    """
    namespace, model = settings.network.namespace, settings.model.facts.name
    manifest = render_manifest(
        f"monitoring/rules/{concern}.yaml.j2",
        {
            "name": settings.name,
            "group": f"{namespace}-{settings.name}",
            "selector": engine_selector(settings),
            **values,
        },
        namespace=namespace,
    )
    for group in manifest["spec"]["groups"]:
        for rule in group["rules"]:
            labels = {"namespace": namespace, "model_name": model}
            rule["labels"] = {**labels, **rule.get("labels", {})}
            if "alert" in rule:
                page = f"{settings.monitoring.runbooks}/{concern}.md#{rule['alert'].lower()}"
                rule["annotations"]["runbook_url"] = page
    return manifest


def _values(settings: Settings) -> dict[str, object]:
    replicas, monitoring = settings.replicas, settings.monitoring
    return {
        "targets": target_selector(settings),
        "cluster": namespace_selector(settings),
        "exported": exported_namespace_selector(settings),
        "pods": pod_selector(settings),
        "exported_pods": exported_pod_selector(settings),
        "gpu_metrics": monitoring.gpu_metrics,
        "gpu_series": exporter_of(settings).recorded(settings),
        "has_xid": exporter_of(settings).has_xid,
        "gpu_exporter": exporter_of(settings).name,
        "startup_seconds": timings_of(settings).startup_budget + PATIENCE_SECONDS,
        "node_seconds": NODE_START + PATIENCE_SECONDS,
        "target_waiting": replicas.target_waiting,
        "fleet_requests": replicas.target_requests * replicas.max,
        "first_token_objective": str(settings.traffic.time_to_first_token_seconds),
        "interval_objective": str(settings.traffic.inter_token_latency_seconds),
        "autoscaling": replicas.autoscaling,
        "asked_for": replicas_asked_for(settings),
        "ready": replicas_ready(settings),
        "may_be_none": replicas.min == 0,
        "wanted": wanted_requests(settings),
        "replica_gpus": replica_gpus(settings),
    }


def _gateway_values(settings: Settings, gateway: GatewaySettings) -> dict[str, object]:
    return {
        "gateways": gateway_target_selector(settings),
        "overflowing": [
            {"name": name, "selector": model_selector(settings, name), "asked_for": asked_for}
            for name, asked_for in _overflowing(settings)
        ],
        "team_limits": [
            (name, f"{team.usd_per_month:f}")
            for name, team in gateway.teams.items()
            if team.usd_per_month is not None
        ],
    }


def _candidate_values(settings: Settings, tried: RolloutCandidate) -> dict[str, object]:
    return {
        "tried_targets": target_selector(tried.settings),
        "tried_selector": engine_selector(tried.settings),
        "asked_for": _asked_for(settings, settings.model.served),
    }


def _asked_for(settings: Settings, served: Sequence[str]) -> str:
    """Returns a matcher for requests of one model; empty if there is only one model."""
    return f",model=~{one_of(served)}" if settings.co_located else ""


def _overflowing(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yields the models with an API, and a matcher for their requests."""
    served = {settings.model.facts.name: settings.model.served}
    served |= {other.model: other.served for other in settings.co_located}
    for name in settings.overflow_apis:
        yield name, _asked_for(settings, served[name])
