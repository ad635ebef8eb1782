"""Who answers the requests: own replicas, a candidate's, or the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from breakeven.cluster.connection import Cluster
from breakeven.cluster.status.replicas import replicas_of
from breakeven.cluster.status.snapshot import CandidateNow
from breakeven.manifests.monitoring.promql import engine_selector, gateway_counter, one_of
from breakeven.settings.stack import Settings

Value: TypeAlias = Callable[[str], float | None]
"""Asks Prometheus for one value; None where it has none."""

_LATENCY = "histogram_quantile(0.95, sum by (le) (rate({}[5m])))"


def first_token_p95(settings: Settings) -> str:
    """Returns the query of the time to first token, seconds, of a model's or candidate's pods."""
    selector = f"{{{engine_selector(settings)}}}"
    return _LATENCY.format(f"vllm:time_to_first_token_seconds_bucket{selector}")


def shares_of(value: Value, settings: Settings) -> tuple[float | None, float | None]:
    """Returns which share of the last hour's requests own replicas and the API served.

    A candidate's replicas are own ones.

    Args:
        value: Asks Prometheus.
        settings: Of the stack's first model.
    """
    if not settings.gateway.is_hybrid:
        return 1.0, 0.0
    # Not those that a full replica refused, and the API then took.
    own = value(_answered(settings, '=~"own|candidate"'))
    api = value(_answered(settings, '="api"'))
    if own is None and api is None:
        return None, None
    total = (own or 0.0) + (api or 0.0)
    return ((own or 0.0) / total, (api or 0.0) / total) if total else (None, None)


def candidate_now(cluster: Cluster, value: Value, settings: Settings) -> CandidateNow | None:
    """Returns what a model's candidate does; None without one. Raises as `Cluster.get` does.

    Args:
        cluster: The cluster.
        value: Asks Prometheus.
        settings: The model's settings.
    """
    tried = settings.tried
    if tried is None:
        return None
    wanted, ready, not_ready = replicas_of(cluster, tried.settings)
    asked_for = f",model=~{one_of(settings.model.served)}"
    answered = value(_answered(settings, '="candidate"', asked_for))
    both = value(_answered(settings, '=~"own|candidate"', asked_for))
    sent = value(_requests(settings, f'to="candidate"{asked_for}'))
    return CandidateNow(
        wanted=wanted,
        ready=ready,
        not_ready=list(not_ready),
        planned_share=tried.traffic_percent / 100,
        share=(answered or 0.0) / both if both else None,
        failed_share=1 - (answered or 0.0) / sent if sent else None,
        first_token_p95_seconds=value(first_token_p95(tried.settings)),
    )


def _answered(settings: Settings, to: str, more: str = "") -> str:
    return _requests(settings, f'to{to},status="200"{more}')


def _requests(settings: Settings, labels: str) -> str:
    return f"sum(increase({gateway_counter(settings, 'requests', labels)}[1h]))"
