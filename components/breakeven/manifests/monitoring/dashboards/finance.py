"""Cost compared with the plan and the APIs: for finance."""

from __future__ import annotations

from breakeven.manifests.monitoring.dashboards.board import Board, Query
from breakeven.manifests.monitoring.dashboards.gateway import gateway_money
from breakeven.manifests.monitoring.promql import recorded
from breakeven.settings.stack import Settings

_USD = "currencyUSD"


def finance(settings: Settings) -> Board:
    """Returns the dashboard."""
    result = Board(settings, "finance", "30d")
    _now(result, settings)
    result.row("Money")
    result.lines(
        "Cost per 1M tokens",
        _USD,
        Query(recorded(settings, "per_million_tokens:usd1d"), "this stack, last 24 hours"),
        Query(recorded(settings, "planned_per_million_tokens:usd"), "this stack, planned"),
        Query(recorded(settings, "api_per_million_tokens:usd"), "{{api}} ({{role}})"),
        explained="The whole bill divided by the tokens served, including idle hours, staffing, "
        "and overhead. APIs at their price for the planned mix of input, cached input, and "
        "output.",
        width=24,
    )
    result.lines(
        "Cost per hour",
        _USD,
        Query(recorded(settings, "cost_hour:usd"), "now"),
        Query(recorded(settings, "planned_hour:usd"), "planned, mean"),
        explained="Running GPU nodes at their price, and everything that does not vary with them.",
    )
    result.lines(
        "This month",
        _USD,
        Query(recorded(settings, "cost_this_month:usd"), "so far"),
        Query(recorded(settings, "cost_month_projected:usd"), "at the rate of the last 24 hours"),
        Query(recorded(settings, "planned_month:usd"), "planned"),
        Query(recorded(settings, "budget_month:usd"), "budget"),
        explained="In UTC. Plan and budget are for an average month.",
    )
    result.row("What you pay for")
    result.lines(
        "Tokens of the last 24 hours",
        "short",
        Query(recorded(settings, "tokens:increase1d"), "served"),
        Query(recorded(settings, "planned_tokens:per_day"), "planned"),
        explained="With fewer tokens than planned, each costs more: the GPUs cost the same.",
    )
    result.lines(
        "Paid and idle",
        "percentunit",
        Query(f"1 - {_mean_busy(settings)}", "last 24 hours"),
        Query(f"1 - {recorded(settings, 'planned_busy:ratio')}", "planned"),
        explained="Share of the GPUs' capacity that is paid for but not used.",
    )
    if settings.gateway.is_on:
        gateway_money(result, settings, settings.gateway)
    return result


def _now(result: Board, settings: Settings) -> None:
    result.figure(
        "An hour",
        _USD,
        recorded(settings, "cost_hour:usd"),
        explained="Now, fully loaded.",
    )
    result.figure(
        "This month so far",
        _USD,
        recorded(settings, "cost_this_month:usd"),
        explained="Since the first of the month, UTC.",
    )
    result.figure(
        "This month, projected",
        _USD,
        recorded(settings, "cost_month_projected:usd"),
        explained="So far, plus the rest at the rate of the last 24 hours.",
    )
    budget = settings.pricing.budget_per_month
    result.figure(
        "Planned per month",
        _USD,
        recorded(settings, "planned_month:usd"),
        explained="From the preview."
        + ("" if budget is None else f" The budget is {budget:,.2f} USD."),
    )
    result.figure(
        "Per 1M tokens",
        _USD,
        recorded(settings, "per_million_tokens:usd1d"),
        explained="Over the last 24 hours.",
    )
    tokens = recorded(settings, "tokens:increase1d")
    price = recorded(settings, "api_per_million_tokens:usd", 'role="in use"')
    by_api = f"{tokens} / 1e6 * on (namespace, model_name) {price}"
    result.figure(
        "The last 24 hours by API",
        _USD,
        by_api,
        explained=f"The same tokens by {settings.api.in_use}.",
    )


def _mean_busy(settings: Settings) -> str:
    return f"avg_over_time({recorded(settings, 'busy:ratio')}[1d])"
