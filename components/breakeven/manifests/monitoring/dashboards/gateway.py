"""Panels of the gateway of mode hybrid, for the dashboards of who is called and of who pays."""

from __future__ import annotations

from breakeven.manifests.monitoring.dashboards.board import Board, Query
from breakeven.manifests.monitoring.promql import namespace_selector, recorded
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

_USD = "currencyUSD"


def gateway_requests(result: Board, settings: Settings) -> None:
    """Adds where requests go, and what the gateway sees of the replicas."""
    cluster = namespace_selector(settings)
    result.row("Gateway")
    result.lines(
        "Requests by destination and reason, a second",
        "reqps",
        Query(
            f"sum by (to, reason) (rate(breakeven_gateway_requests_total{{{cluster}}}[5m]))",
            "{{to}} {{reason}}",
        ),
        explained="To the API with reason error: a replica failed first, which counts as own, too.",
    )
    result.lines(
        "Streams that went on from another replica, an hour",
        "short",
        Query(
            f"sum(increase(breakeven_gateway_streams_continued_total{{{cluster}}}[1h]))",
            "broken off, and whole for the client",
        ),
        explained="Each is a replica that was killed or lost while it answered.",
    )
    result.lines(
        "Own replicas as the gateway sees them",
        "short",
        Query(f"breakeven_gateway_ready_replicas{{{cluster}}}", "ready, by {{pod}}"),
        Query(recorded(settings, "replicas:up"), "answer Prometheus"),
        explained="Where the gateway sees fewer, it can't reach some, and requests leave.",
    )


def gateway_money(result: Board, settings: Settings, gateway: GatewaySettings) -> None:
    """Adds what teams take, and what the API takes beside the plan."""
    cluster = namespace_selector(settings)
    result.row("Gateway")
    for title, unit, metric, explained in (
        (
            "Tokens by team and destination, last 24 hours",
            "short",
            "breakeven_gateway_tokens_total",
            "Input and output, as each answer said.",
        ),
        (
            "Dollars by team and destination, last 24 hours",
            _USD,
            "breakeven_gateway_usd_total",
            "What teams' limits count: own tokens at the preview's price, the API's at its own.",
        ),
    ):
        total = f"sum by (team, to) (increase({metric}{{{cluster}}}[1d]))"
        result.lines(title, unit, Query(total, "{{team}}, {{to}}"), explained=explained)
    if settings.overflow_api is not None:
        _overflow(result, settings)
    if any(team.usd_per_month is not None for team in gateway.teams.values()):
        result.lines(
            "Teams this month",
            _USD,
            Query(recorded(settings, "team_usd:this_month"), "{{team}}"),
            Query(recorded(settings, "team_limit_month:usd"), "{{team}}, limit"),
            explained="In UTC. A Prometheus that keeps fewer days than the month has forgets the "
            "first ones; the gateway, which refuses, does not.",
        )


def _overflow(result: Board, settings: Settings) -> None:
    cluster = namespace_selector(settings)
    result.lines(
        "Requests that left, last 24 hours",
        "percentunit",
        Query(recorded(settings, "overflow:ratio1d"), "to the API"),
        Query(recorded(settings, "planned_overflow:ratio"), "planned, mean of a week"),
        explained="Of the requests that an own replica should have had; not those that asked for "
        "the API.",
    )
    result.lines(
        "Paid to the API, last 24 hours",
        _USD,
        Query(f'sum(increase(breakeven_gateway_usd_total{{{cluster},to="api"}}[1d]))', "all"),
        Query(f"24 * {recorded(settings, 'planned_overflow_hour:usd')}", "planned, mean"),
        explained="Requests that asked for the API are in it. The cost of an hour has what was "
        "planned.",
    )
