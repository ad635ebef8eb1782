"""The pieces of PromQL that scaling, alerts and dashboard share."""

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


def target_selector(settings: Settings) -> str:
    """Returns the labels of this stack's scrape targets, without braces."""
    return f"{namespace_selector(settings)},job={quoted(job_name(settings))}"


def job_name(settings: Settings) -> str:
    """Returns the job that the Prometheus operator derives from the PodMonitor."""
    return f"{settings.network.namespace}/{NAME}"


def quoted(value: str) -> str:
    """Returns a PromQL string; its escapes are those of JSON for what a label can hold."""
    return json.dumps(value)
