"""A recommendation as text and as plain values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from decimal import Decimal

from breakeven.cost.capacity.latency import Objective
from breakeven.cost.enlarged import is_too_small
from breakeven.cost.optimizer.candidates import Candidate
from breakeven.cost.optimizer.constraints import ConstraintPrice
from breakeven.cost.optimizer.ranking import Recommendation
from breakeven.cost.report import ApiCost
from breakeven.reports.formatting import (
    currency_name,
    money,
    month_name,
    rate,
    shown_in,
    usd,
    usd_per_million,
)
from breakeven.reports.sentences.apis import finding_sentence, label
from breakeven.reports.sentences.descriptions import traffic
from breakeven.reports.sentences.optimizer import (
    conclusion_sentences,
    constraint_name,
    evaluated,
    recommendation_notes,
)
from breakeven.reports.text import drawn, text_table, wrapped


def as_text(recommendation: Recommendation, top: int) -> str:
    """Returns the whole answer as text of at most 96 columns.

    Args:
        recommendation: The answer.
        top: Configurations to show, 1 or more.
    """
    with shown_in(recommendation.search.assumptions.currency):
        parts = (
            _heading(recommendation),
            _choices(recommendation),
            _ranking(recommendation, top),
            _constraints(recommendation),
            "\n" + wrapped(f"- {note}" for note in recommendation_notes(recommendation)),
        )
    return "".join(parts).rstrip("\n")


def as_output(recommendation: Recommendation, top: int) -> dict[str, object]:
    """Returns all figures as plain values; money are decimal strings in USD a month."""
    assumptions = recommendation.search.assumptions
    counts = recommendation.counts
    return {
        "stack": assumptions.stack,
        "currency": "USD",
        "month": month_name(assumptions.calendar),
        "tokensPerDay": assumptions.load.tokens_per_day,
        "recommendation": recommendation.conclusion.choice,
        "summary": conclusion_sentences(recommendation),
        "monthlyIfSlower": money(recommendation.conclusion.monthly_if_slower),
        "asItStands": money(recommendation.as_it_stands),
        "weighed": {
            "configurations": counts.evaluated,
            "needTooManyGpus": counts.too_many_gpus,
            "enginesWithTooLittleMemory": counts.too_little_memory,
            "enginesWithoutKernels": counts.without_kernels,
            "enginesMissingFirstToken": counts.too_late,
            "enginesMissingInterToken": counts.too_slow,
        },
        "configurations": [_row(recommendation, one) for one in recommendation.ranked[:top]],
        "api": [
            _api(recommendation, cost) for cost in (recommendation.api, *recommendation.hosted)
        ],
        "constraints": [_constraint(one) for one in recommendation.constraints],
        "notes": list(recommendation_notes(recommendation)),
    }


def _heading(recommendation: Recommendation) -> str:
    search = recommendation.search
    load, month = search.assumptions.load, month_name(search.assumptions.calendar)
    currency = currency_name(search.assumptions.currency)
    served = f"{search.model.name}, {traffic(load)}; {month} per month; {currency}"
    title = f"CHEAPEST CONFIGURATION FOR STACK {search.assumptions.stack}"
    return wrapped([title, served, evaluated(search, recommendation.counts)])


def _choices(recommendation: Recommendation) -> str:
    table = text_table("Options")
    table.add_column("Option", ratio=1)
    table.add_column("Monthly cost", justify="right", no_wrap=True)
    table.add_column("Per 1M tokens", justify="right", no_wrap=True)
    for name, monthly in _choice_rows(recommendation):
        table.add_row(
            name, usd(monthly), usd_per_million(recommendation.usd_per_million_tokens(monthly))
        )
    return drawn(table) + wrapped([conclusion_sentences(recommendation)])


def _choice_rows(recommendation: Recommendation) -> Iterator[tuple[str, Decimal]]:
    mark = "" if recommendation.api.decides else "x  "
    yield f"{mark}Stay on {label(recommendation.api)}", recommendation.api.monthly
    deciding = (cost for cost in recommendation.hosted if cost.decides)
    for cost in itertools.islice(deciding, 1):
        yield f"Same model at {label(cost)}", cost.monthly
    small = ": too small" if is_too_small(recommendation.search.assumptions) else ""
    yield f"This stack as configured{small}", recommendation.as_it_stands
    best = recommendation.cheapest(("autoscaled", "fixed"))
    if best is not None:
        yield "Cheapest fully self-hosted configuration", best.monthly
    best = recommendation.cheapest(("hybrid",))
    if best is not None:
        yield f"Cheapest hybrid, {best.own_share:.0%} of requests on own nodes", best.monthly


def _ranking(recommendation: Recommendation, top: int) -> str:
    table = text_table("Cheapest configurations")
    table.add_column("Nodes", overflow="fold")
    table.add_column("Purchase", overflow="fold")
    table.add_column("Replica", ratio=1, overflow="fold")
    table.add_column("Replicas", overflow="fold")
    table.add_column("Busy", justify="right", no_wrap=True)
    reads = recommendation.search.own_load.unit != "request"
    table.add_column("ms/answer" if reads else "ms/token", justify="right", no_wrap=True)
    table.add_column("Monthly cost", justify="right", no_wrap=True)
    table.add_column("Per 1M", justify="right", no_wrap=True)
    objective: Objective = "first-token" if reads else "inter-token"
    for candidate in recommendation.ranked[:top]:
        configuration = candidate.configuration
        offer = configuration.offer
        table.add_row(
            f"{candidate.peak_nodes} x {offer.machine}",
            offer.purchase,
            f"{configuration.tensor_parallel} x {offer.gpu.name}, {configuration.precision}",
            _replicas(recommendation, candidate),
            f"{candidate.busy_share:.0%}",
            f"{candidate.capacity.latencies.of(objective) * 1000:,.0f}",
            usd(candidate.monthly),
            usd_per_million(recommendation.usd_per_million_tokens(candidate.monthly)),
        )
    return drawn(table)


def _replicas(recommendation: Recommendation, candidate: Candidate) -> str:
    if candidate.configuration.operation == "hybrid":
        return f"{candidate.peak_replicas} + API {1 - candidate.own_share:.0%}"
    lowest = recommendation.search.lowest_replicas
    if candidate.configuration.operation == "autoscaled" and lowest < candidate.peak_replicas:
        return f"{lowest} to {candidate.peak_replicas}"
    return f"{candidate.peak_replicas}"


def _constraints(recommendation: Recommendation) -> str:
    table = text_table("Cost of each constraint")
    table.add_column("Constraint", ratio=1)
    table.add_column("With it", justify="right", no_wrap=True)
    table.add_column("Without it", justify="right", no_wrap=True)
    table.add_column("Difference", justify="right", no_wrap=True)
    for one in recommendation.constraints:
        name = constraint_name(one.constraint)
        label = name if one.constraint.imposed else f"{name} (not enforced)"
        amounts = (one.cheapest_with, one.cheapest_without, one.price)
        table.add_row(label, *("none" if amount is None else usd(amount) for amount in amounts))
    return drawn(table)


def _row(recommendation: Recommendation, candidate: Candidate) -> dict[str, object]:
    configuration, capacity = candidate.configuration, candidate.capacity
    offer = configuration.offer
    return {
        "machine": offer.machine,
        "gpu": offer.gpu.name,
        "gpusPerNode": offer.gpus_per_node,
        "purchase": offer.purchase,
        "precision": configuration.precision,
        "tensorParallel": configuration.tensor_parallel,
        "operation": configuration.operation,
        "requestsInFlight": capacity.concurrent_requests,
        "peakReplicas": candidate.peak_replicas,
        "peakNodes": candidate.peak_nodes,
        "meanNodes": round(candidate.mean_nodes, 4),
        "busyShare": round(candidate.busy_share, 4),
        "ownShare": round(candidate.own_share, 4),
        "objectiveShare": (
            None if candidate.objective_share is None else round(candidate.objective_share, 4)
        ),
        "interTokenMilliseconds": round(capacity.latencies.inter_token * 1000, 2),
        "interTokenP95Milliseconds": round(capacity.latencies.inter_token_p95 * 1000, 2),
        "prefillMilliseconds": round(capacity.prefill_seconds * 1000, 2),
        "firstTokenP95Milliseconds": round(capacity.latencies.first_token_p95 * 1000, 2),
        "capacityErrorPercent": None if capacity.is_unknown else capacity.error_percent,
        "monthly": money(candidate.monthly),
        "overflowByApi": money(candidate.api_monthly),
        "perMillionTokens": rate(recommendation.usd_per_million_tokens(candidate.monthly)),
    }


def _api(recommendation: Recommendation, cost: ApiCost) -> dict[str, object]:
    return {
        "api": cost.price.reference,
        "sameModel": cost.same_model,
        "monthly": money(cost.monthly),
        "perMillionTokens": rate(recommendation.usd_per_million_tokens(cost.monthly)),
        "decides": cost.decides,
        "findings": [finding_sentence(finding) for finding in cost.price.findings],
    }


def _constraint(one: ConstraintPrice) -> dict[str, object]:
    def written(amount: Decimal | None) -> str | None:
        return None if amount is None else money(amount)

    return {
        "constraint": constraint_name(one.constraint),
        "imposed": one.constraint.imposed,
        "cheapestWith": written(one.cheapest_with),
        "cheapestWithout": written(one.cheapest_without),
        "price": written(one.price),
    }
