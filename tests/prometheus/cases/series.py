"""Synthetic series, as promtool writes them, and cases of alerts over them.

They stand in for a Prometheus that scrapes replicas on GPU nodes; names and labels are those of the
recording and of the exporters' sources (metrics-catalogue.json).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from breakeven.manifests.monitoring.promql import engine_selector, target_selector
from tests.recording import settings_of

SETTINGS = settings_of("aws-prod", **{"pricing.budgetPerMonth": "9000"})
ENGINE = engine_selector(SETTINGS)
TARGET = target_selector(SETTINGS)

Series = tuple[str, str]
"""A series with its labels, and its values."""

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True)
class Case:
    """What a series looks like, when, and whether the alert then fires.

    `summary` is what it then says, and `labels` are those that it has beside every alert's; given
    in one case at least of each alert that says more than a fixed text. `step` is minutes from one
    sample, and evaluation, to the next: longer for what takes days.
    """

    alert: str
    series: tuple[Series, ...]
    minutes: int
    firing: bool
    summary: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    step: int = 1


def engine(metric: str, values: str, pod: str = "model-a", more: str = "") -> Series:
    return f'{metric}{{{ENGINE},engine="0",pod="{pod}"{more}}}', values


def up(values: str, pod: str = "model-a") -> Series:
    return f'up{{{TARGET},pod="{pod}"}}', values


def cluster(metric: str, values: str, more: str) -> Series:
    return f'{metric}{{namespace="llm",{more}}}', values


def gpu(metric: str, values: str, *, number: int = 0, honoured: bool = False) -> Series:
    """A series of the DCGM exporter; without honorLabels the pod's labels are renamed."""
    pod = (
        'namespace="llm",pod="model-a"'
        if honoured
        else 'namespace="gpu-operator",exported_namespace="llm",pod="dcgm-x",exported_pod="model-a"'
    )
    return f'{metric}{{Hostname="node-1",gpu="{number}",{pod}}}', values


def running(values: str, pod: str = "model-a") -> Series:
    return engine("vllm:num_requests_running", values, pod)


def waiting(values: str, pod: str = "model-a") -> Series:
    return engine("vllm:num_requests_waiting", values, pod)
