"""Panels of the gateway in mode hybrid, for the on-call and finance dashboards."""

from __future__ import annotations

from functools import partial

from breakeven.manifests.gateway.labels import INSIDE, of_model
from breakeven.manifests.monitoring.dashboards.board import Board, Query
from breakeven.manifests.monitoring.promql import (
    gateway_counter,
    namespace_selector,
    one_of,
    recorded,
)
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

_USD = "currencyUSD"


def gateway_requests(result: Board, settings: Settings) -> None:
    """Adds the destinations of requests, and the gateway's view of the replicas."""
    requests = partial(gateway_counter, settings, "requests")
    answered, failed = requests('to!="clients"'), requests('status=~"4..|5.."')
    cut = requests('status="200",why=~".*(UC|UPE|UT|SI).*"')
    result.row("Gateway")
    result.lines(
        "Requests per second by destination and route",
        "reqps",
        Query(f"sum by (to, route) (rate({answered}[5m]))", "{{to}}, {{route}}"),
        explained="Requests to the API on route overflow also count as own if a replica was tried "
        "first.",
    )
    result.lines(
        "Failed requests per second by reason",
        "reqps",
        Query(
            f"sum by (to, status, why) (rate({failed}[5m]))",
            "{{to}} {{status}} {{why}}",
        ),
        explained="Why is Envoy's response flag: UO a full replica, UH none ready, UF no "
        "connection, UC cut, RL over a limit, UT too slow, DC the client left.",
    )
    result.lines(
        "Cut-off streams per hour",
        "short",
        Query(
            f"sum by (to) (increase({cut}[1h]))",
            "by {{to}}",
        ),
        explained="Each is a replica that was killed or lost while it was answering.",
    )
    result.lines(
        "Replicas as the gateway sees them",
        "short",
        Query(
            f"envoy_cluster_membership_healthy{{{namespace_selector(settings)},"
            f'envoy_cluster_name="{of_model(INSIDE, settings.name)}"}}',
            "ready, by {{pod}}",
        ),
        Query(recorded(settings, "replicas:up"), "answer Prometheus"),
        explained="If the gateway sees fewer, it cannot reach some, and requests overflow.",
    )


def gateway_money(result: Board, settings: Settings, gateway: GatewaySettings) -> None:
    """Adds teams' usage, and the API's share compared with the plan."""
    count = partial(gateway_counter, settings)
    result.row("Gateway")
    for title, unit, total, explained in (
        (
            "Tokens by team and destination, last 24 hours",
            "short",
            " + ".join(
                f"sum by (team, to) (increase({count(name)}[1d]))"
                for name in ("input_tokens", "output_tokens")
            ),
            "Input and output, as reported by each response.",
        ),
        (
            "Dollars by team and destination, last 24 hours",
            _USD,
            f"sum by (team, to) (increase({count('nano_usd')}[1d])) / 1e9",
            "What team limits count: self-hosted tokens and API tokens, each at its price.",
        ),
    ):
        result.lines(title, unit, Query(total, "{{team}}, {{to}}"), explained=explained)
    if settings.overflow_api is not None:
        _overflow(result, settings)
    if any(team.usd_per_month is not None for team in gateway.teams.values()):
        result.lines(
            "Teams this month",
            _USD,
            Query(recorded(settings, "team_usd:this_month"), "{{team}}"),
            Query(recorded(settings, "team_limit_month:usd"), "{{team}}, limit"),
            explained="In UTC. A Prometheus that keeps less than a month forgets the first days; "
            "the gateway, which enforces the limit, does not.",
        )


def _overflow(result: Board, settings: Settings) -> None:
    models = ""
    if settings.co_located and settings.overflow_api is not None:
        names = (settings.model.facts.name, settings.overflow_api.model)
        models = f",model=~{one_of(names)}"
    paid = gateway_counter(settings, "nano_usd", f'to="api"{models}')
    result.lines(
        "Overflowed requests, last 24 hours",
        "percentunit",
        Query(recorded(settings, "overflow:ratio1d"), "to the API"),
        Query(recorded(settings, "planned_overflow:ratio"), "planned, mean of a week"),
        explained="Share of the requests meant for replicas, without those that asked for the API.",
    )
    result.lines(
        "Paid to the API, last 24 hours",
        _USD,
        Query(f"sum(increase({paid}[1d])) / 1e9", "all"),
        Query(f"24 * {recorded(settings, 'planned_overflow_hour:usd')}", "planned, mean"),
        explained="Includes requests that asked for the API. The cost per hour has the planned "
        "amount.",
    )
