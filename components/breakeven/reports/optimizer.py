"""A recommendation as text and as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from breakeven.cost.optimizer.candidates import Candidate
from breakeven.cost.optimizer.constraints import ConstraintPrice
from breakeven.cost.optimizer.explanation import place
from breakeven.cost.optimizer.ranking import Recommendation
from breakeven.cost.report import ApiCost
from breakeven.formatting import money, rate, usd, usd_per_million, volume
from breakeven.reports.text import drawn, text_table, wrapped


def as_text(recommendation: Recommendation, top: int) -> str:
    """Returns the whole answer as text of at most 96 columns.

    Args:
        recommendation: The answer.
        top: Configurations to show, 1 or more.
    """
    parts = (
        _heading(recommendation),
        _choices(recommendation),
        _ranking(recommendation, top),
        _constraints(recommendation),
        "\n" + wrapped(f"- {note}" for note in recommendation.notes),
    )
    return "".join(parts).rstrip("\n")


def as_output(recommendation: Recommendation, top: int) -> dict[str, object]:
    """Returns all figures as plain values; money are decimal strings in USD a month."""
    assumptions = recommendation.search.assumptions
    counts = recommendation.counts
    return {
        "stack": assumptions.stack,
        "currency": "USD",
        "month": assumptions.calendar.name,
        "tokensPerDay": assumptions.load.tokens_per_day,
        "recommendation": recommendation.choice,
        "summary": recommendation.summary,
        "monthlyIfSlower": money(recommendation.monthly_if_slower),
        "asItStands": money(recommendation.as_it_stands),
        "weighed": {
            "configurations": counts.evaluated,
            "needTooManyGpus": counts.too_many_gpus,
            "enginesWithTooLittleMemory": counts.too_little_memory,
        },
        "configurations": [_row(recommendation, one) for one in recommendation.ranked[:top]],
        "api": [_api(cost) for cost in (recommendation.api, *recommendation.hosted)],
        "constraints": [_constraint(one) for one in recommendation.constraints],
        "notes": list(recommendation.notes),
    }


def _heading(recommendation: Recommendation) -> str:
    search = recommendation.search
    load, counts = search.assumptions.load, recommendation.counts
    weighed = (
        f"{counts.evaluated:,} configurations weighed{place(search)}; {counts.too_many_gpus:,} of "
        f"them need more than {search.max_gpus} GPUs. {counts.too_little_memory:,} engines have "
        "too little memory for the model."
    )
    traffic = (
        f"{search.model.name}, {volume(load.tokens_per_day)} tokens a day "
        f"({load.input_tokens:,} in, {load.output_tokens:,} out a request); "
        f"{search.assumptions.calendar.name} a month; USD"
    )
    title = f"CHEAPEST CONFIGURATION FOR STACK {search.assumptions.stack}"
    return wrapped([title, traffic, weighed])


def _choices(recommendation: Recommendation) -> str:
    table = text_table("What are the choices?")
    table.add_column("Choice", ratio=1)
    table.add_column("A month", justify="right", no_wrap=True)
    table.add_column("USD/M tokens", justify="right", no_wrap=True)
    for label, monthly in _choice_rows(recommendation):
        table.add_row(
            label, usd(monthly), usd_per_million(recommendation.usd_per_million_tokens(monthly))
        )
    return drawn(table) + wrapped([recommendation.summary])


def _choice_rows(recommendation: Recommendation) -> Iterator[tuple[str, Decimal]]:
    yield (
        f"Stay on {recommendation.api.price.reference}",
        recommendation.api.monthly,
    )
    for cost in recommendation.hosted[:1]:
        yield f"Same model at {cost.price.reference}", cost.monthly
    yield "This stack as it stands", recommendation.as_it_stands
    best = recommendation.cheapest(("autoscaled", "fixed"))
    if best is not None:
        yield "Cheapest that serves everything itself", best.monthly
    best = recommendation.cheapest(("hybrid",))
    if best is not None:
        yield f"Cheapest hybrid, {best.own_share:.0%} on own nodes", best.monthly


def _ranking(recommendation: Recommendation, top: int) -> str:
    table = text_table("Which configurations cost least?")
    table.add_column("Nodes", overflow="fold")
    table.add_column("Paid", overflow="fold")
    table.add_column("Replica", ratio=1, overflow="fold")
    table.add_column("Replicas", overflow="fold")
    table.add_column("Busy", justify="right", no_wrap=True)
    table.add_column("ms/token", justify="right", no_wrap=True)
    table.add_column("A month", justify="right", no_wrap=True)
    table.add_column("USD/M", justify="right", no_wrap=True)
    for weighed in recommendation.ranked[:top]:
        configuration = weighed.configuration
        offer = configuration.offer
        table.add_row(
            f"{weighed.peak_nodes} x {offer.machine}",
            offer.purchase,
            f"{configuration.tensor_parallel} x {offer.gpu.name}, {configuration.precision}",
            _replicas(recommendation, weighed),
            f"{weighed.busy_share:.0%}",
            f"{weighed.capacity.inter_token_latency_seconds * 1000:,.0f}",
            usd(weighed.monthly),
            usd_per_million(recommendation.usd_per_million_tokens(weighed.monthly)),
        )
    return drawn(table)


def _replicas(recommendation: Recommendation, weighed: Candidate) -> str:
    if weighed.configuration.operation == "hybrid":
        return f"{weighed.peak_replicas} + API {1 - weighed.own_share:.0%}"
    lowest = recommendation.search.lowest_replicas
    if weighed.configuration.operation == "autoscaled" and lowest < weighed.peak_replicas:
        return f"{lowest} to {weighed.peak_replicas}"
    return f"{weighed.peak_replicas}"


def _constraints(recommendation: Recommendation) -> str:
    table = text_table("What does each constraint cost?")
    table.add_column("Constraint", ratio=1)
    table.add_column("Cheapest with it", justify="right", no_wrap=True)
    table.add_column("without it", justify="right", no_wrap=True)
    table.add_column("Its price", justify="right", no_wrap=True)
    for one in recommendation.constraints:
        label = one.name if one.imposed else f"{one.name} (not imposed)"
        amounts = (one.cheapest_with, one.cheapest_without, one.price)
        table.add_row(label, *("none" if amount is None else usd(amount) for amount in amounts))
    return drawn(table)


def _row(recommendation: Recommendation, weighed: Candidate) -> dict[str, object]:
    configuration, capacity = weighed.configuration, weighed.capacity
    offer = configuration.offer
    return {
        "machine": offer.machine,
        "gpu": offer.gpu.name,
        "gpusPerNode": offer.gpus_per_node,
        "purchase": offer.purchase,
        "precision": configuration.precision,
        "tensorParallel": configuration.tensor_parallel,
        "operation": configuration.operation,
        "requestsInFlight": configuration.requests_in_flight,
        "peakReplicas": weighed.peak_replicas,
        "peakNodes": weighed.peak_nodes,
        "meanNodes": round(weighed.mean_nodes, 4),
        "busyShare": round(weighed.busy_share, 4),
        "ownShare": round(weighed.own_share, 4),
        "objectiveShare": (
            None if weighed.objective_share is None else round(weighed.objective_share, 4)
        ),
        "interTokenMilliseconds": round(capacity.inter_token_latency_seconds * 1000, 2),
        "prefillMilliseconds": round(capacity.prefill_seconds * 1000, 2),
        "capacityErrorPercent": capacity.error_percent,
        "monthly": money(weighed.monthly),
        "overflowByApi": money(weighed.api_monthly),
        "perMillionTokens": rate(recommendation.usd_per_million_tokens(weighed.monthly)),
    }


def _api(cost: ApiCost) -> dict[str, object]:
    return {
        "api": cost.price.reference,
        "sameModel": cost.same_model,
        "monthly": money(cost.monthly),
        "perMillionTokens": rate(cost.price.usd_per_million_tokens),
    }


def _constraint(one: ConstraintPrice) -> dict[str, object]:
    def written(amount: Decimal | None) -> str | None:
        return None if amount is None else money(amount)

    return {
        "constraint": one.name,
        "imposed": one.imposed,
        "cheapestWith": written(one.cheapest_with),
        "cheapestWithout": written(one.cheapest_without),
        "price": written(one.price),
    }
