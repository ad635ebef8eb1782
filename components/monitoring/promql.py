"""The pieces of PromQL that scaling, alerts and dashboards share."""

from __future__ import annotations

import json

from components.serving.labels import NAME
from components.settings_types import Settings


def engine_selector(settings: Settings) -> str:
    """Returns the labels of this model's series, without braces.

    vLLM's label is model_name; the namespace is added by the PodMonitor and keeps stacks apart that
    serve the same model.
    """
    return f"{namespace_selector(settings)},model_name={quoted(settings.model.facts.name)}"


def namespace_selector(settings: Settings) -> str:
    """Returns the label of this stack's series of the cluster, without braces."""
    return f"namespace={quoted(settings.network.namespace)}"


def exported_namespace_selector(settings: Settings) -> str:
    """Returns the same label as Prometheus renames it where an exporter's target has its own."""
    return f"exported_{namespace_selector(settings)}"


def target_selector(settings: Settings) -> str:
    """Returns the labels of this stack's scrape targets, without braces."""
    return f"{namespace_selector(settings)},job={quoted(job_name(settings))}"


def wanted_requests(settings: Settings) -> str:
    """Returns the gateway's counter of requests that an own replica should have had.

    Not those of teams over their budget, nor those that asked for the API by name.
    """
    return (
        f"breakeven_gateway_requests_total{{{namespace_selector(settings)},"
        'reason!~"budget|asked for"}'
    )


def job_name(settings: Settings) -> str:
    """Returns the job that the Prometheus operator derives from the PodMonitor."""
    return f"{settings.network.namespace}/{NAME}"


def quoted(value: str) -> str:
    """Returns a PromQL string; its escapes are those of JSON for what a label can hold."""
    return json.dumps(value)


def recorded(settings: Settings, name: str, more: str = "") -> str:
    """Returns a recorded series of this stack.

    Args:
        settings: The stack's settings.
        name: Its name without the prefix, such as "tokens:rate5m".
        more: Further label matchers.
    """
    labels = engine_selector(settings) + (f",{more}" if more else "")
    return f"breakeven:{name}{{{labels}}}"
