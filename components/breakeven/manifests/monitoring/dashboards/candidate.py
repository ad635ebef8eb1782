"""Panels of a candidate on trial, next to the model: latency, errors, and cost of both."""

from __future__ import annotations

from breakeven.manifests.monitoring.dashboards.board import Board, Query, quantile
from breakeven.manifests.monitoring.promql import engine_selector, gateway_counter, recorded
from breakeven.settings.stack import RolloutCandidate, Settings

_USD = "currencyUSD"


def candidate_and_model(result: Board, settings: Settings, tried: RolloutCandidate) -> None:
    """Adds the panels.

    Args:
        result: The dashboard.
        settings: The model's settings.
        tried: The candidate.
    """
    both = {"model": settings, "candidate": tried.settings}
    result.row("Candidate and model")
    for title, histogram in (
        ("Time to first token, 95%", "time_to_first_token_seconds"),
        ("Time between tokens, 95%", "inter_token_latency_seconds"),
    ):
        buckets = {
            name: f"sum by (le) (rate(vllm:{histogram}_bucket{{{engine_selector(each)}}}[15m]))"
            for name, each in both.items()
        }
        result.lines(
            title,
            "s",
            *(Query(quantile(series, "0.95"), name) for name, series in buckets.items()),
            explained="Of the last 15 minutes. At a small share, few requests decide it.",
        )
    result.lines(
        "Failed requests",
        "percentunit",
        *(Query(_failed(settings, to), name) for to, name in (("own", "model"), _CANDIDATE)),
        explained="Share of requests, as the gateway sees them. A request that the candidate fails "
        "before its first byte is answered by the model.",
    )
    result.lines(
        "Requests per second",
        "reqps",
        *(
            Query(f"sum(rate({_requests(settings, to)}[5m]))", name)
            for to, name in (("own", "model"), _CANDIDATE)
        ),
        explained=f"The candidate's share is {tried.traffic_percent}%; what it cannot take goes to "
        "the model, and counts for both.",
    )
    result.lines(
        "Cost per 1M tokens",
        _USD,
        Query(recorded(settings, "per_million_tokens:usd1d"), "model, last 24 hours"),
        Query(recorded(settings, "planned_per_million_tokens:usd"), "model, planned"),
        Query(
            recorded(settings, "candidate_per_million_tokens:usd"), "candidate promoted, planned"
        ),
        explained="The whole bill divided by the tokens served. On trial, the candidate serves a "
        "share only, so what it would cost is planned for all of the traffic.",
    )
    result.lines(
        "Cost per hour",
        _USD,
        Query(recorded(settings, "cost_hour:usd"), "model"),
        Query(recorded(settings, "candidate_hour:usd"), "trial of the candidate, in addition"),
        explained="The trial costs this until the candidate is promoted or withdrawn.",
    )


_CANDIDATE = ("candidate", "candidate")


def _requests(settings: Settings, to: str, more: str = "") -> str:
    return gateway_counter(settings, "requests", f'to="{to}"{more}')


def _failed(settings: Settings, to: str) -> str:
    failed = _requests(settings, to, ',status=~"5..|0"')
    every = f"(sum(rate({_requests(settings, to)}[15m])) > 0)"
    return f"(sum(rate({failed}[15m])) or vector(0)) / {every}"
