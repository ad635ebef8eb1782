"""What a gateway's pods take, and what it needs to know of an estimate."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from breakeven.catalog.apis.prices import token_rates
from breakeven.cost.bill.by_model import ModelCost
from breakeven.cost.bill.pricing import charged
from breakeven.cost.gateway import AddedGateway, GatewayPods
from breakeven.cost.recommendation import KeptInside
from breakeven.manifests.gateway.figures import GatewayFigures, TokenPrices
from breakeven.manifests.gateway.sizing import CPU_TARGET_PERCENT, GATEWAY_POD, STORE_POD
from breakeven.manifests.gateway.store import store_resources
from breakeven.money import to_millionths
from breakeven.planning.rendered_ledger import entry_of
from breakeven.settings.stack import Settings, Stack

if TYPE_CHECKING:  # the checks of a preview come before a report is needed
    from breakeven.cost.report import Report


def gateway_pods_of(settings: Settings) -> GatewayPods | None:
    """Returns the pods of a stack's gateway; None where it has none."""
    gateway = settings.gateway
    if not gateway.is_on:
        return None
    return GatewayPods(
        lowest=gateway.replicas,
        cores=GATEWAY_POD.millicores * CPU_TARGET_PERCENT / 100_000,
        millicores=GATEWAY_POD.millicores,
        memory_bytes=GATEWAY_POD.memory_bytes,
        sets=2 if settings.separates_inside else 1,
        other_millicores=STORE_POD.millicores,
        other_memory_bytes=STORE_POD.memory_bytes,
    )


def hybrid_gateway(settings: Settings) -> AddedGateway | None:
    """Returns what mode hybrid would add to a stack; None where it is in it, or could not be."""
    gateway = settings.gateway.model_copy(update={"mode": "hybrid", "kind": "envoy"})
    pods = gateway_pods_of(replace(settings, gateway=gateway))
    if settings.gateway.is_hybrid or pods is None or not settings.network.data_may_leave:
        return None
    store = () if settings.gateway.is_on else store_resources(settings, gateway)
    return AddedGateway(pods=pods, resources=charged(map(entry_of, store)))


def kept_inside(stack: Stack) -> KeptInside | None:
    """Returns whose requests may not go to an API, although others may; None for none."""
    gateway = stack.gateway
    if not stack.network.data_may_leave:
        return None
    staying = [team for team in gateway.teams.values() if not team.data_may_leave]
    if not staying:
        # Clients then mark requests that stay by a header; nobody knows how many.
        by_header = gateway.is_on and gateway.separate_inside
        return KeptInside(teams=()) if by_header else None
    limits = [team.tokens_per_day for team in staying if team.tokens_per_day is not None]
    total = sum(model.traffic.tokens_per_day for model in stack.models)
    return KeptInside(
        teams=tuple(name for name, team in gateway.teams.items() if not team.data_may_leave),
        everyone=not gateway.leaving_teams,
        largest_share=min(1.0, sum(limits) / total) if len(limits) == len(staying) else None,
    )


def gateway_figures(report: Report) -> GatewayFigures:
    """Returns what a token of each model costs here, and by the API in use; and pods.

    Where own replicas are planned to serve nothing, the price of any token stands for theirs.
    """
    peak, today = report.gateway_peak, report.assumptions.book.today
    now = datetime(today.year, today.month, today.day, tzinfo=UTC)
    return GatewayFigures(
        models={model.assumptions.model_name: _prices(model, now) for model in report.models},
        most_pods=0 if peak is None else peak.pods,
    )


def _prices(model: ModelCost, now: datetime) -> TokenPrices:
    load, api = model.assumptions.load, model.assumptions.overflow_price
    rates = api.rates or token_rates(
        api.reference,
        input_tokens=load.input_tokens,
        output_tokens=load.output_tokens,
        on=now,
    )
    own = model.usd_per_million_own_tokens
    return TokenPrices(
        own=to_millionths(model.usd_per_million_tokens if own is None else own),
        api_input=rates.input,
        api_cached_input=rates.cached_input,
        api_output=rates.output,
    )
