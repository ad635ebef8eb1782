"""A recommendation in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from breakeven.cost.calendar import CALENDAR_MONTH
from breakeven.cost.optimizer.candidates import Candidate, Counts
from breakeven.cost.optimizer.constraints import Constraint
from breakeven.cost.optimizer.offers import offers
from breakeven.cost.optimizer.search import Search
from breakeven.cost.recommendation import Choice
from breakeven.cost.report import ApiCost
from breakeven.formatting import usd


def describe(candidate: Candidate) -> str:
    """Names a configuration, such as "up to 5 replicas of 1 x l40s in bf16 on g6e.xlarge"."""
    configuration = candidate.configuration
    offer = configuration.offer
    count = f"{candidate.peak_replicas} replica{'s' if candidate.peak_replicas > 1 else ''}"
    if configuration.operation == "autoscaled" and candidate.peak_replicas > 1:
        count = f"up to {count}"
    beside = f", an API for {1 - candidate.own_share:.0%}" if candidate.own_share < 1 else ""
    return (
        f"{count} of {configuration.tensor_parallel} x {offer.gpu.name} in "
        f"{configuration.precision} on {offer.machine}, {offer.purchase}{beside}"
    )


def conclusion(
    best: Candidate, slower: Decimal, api: ApiCost, *, data_may_leave: bool
) -> tuple[Choice, str]:
    """Decides between the cheapest own configuration and the cheapest API, as `verdict` does.

    Args:
        best: The cheapest own configuration.
        slower: USD a month of it if a replica serves as little as its band allows.
        api: The cheapest API.
        data_may_leave: Whether prompts may go to an API.
    """
    own: Choice = "hybrid" if best.configuration.operation == "hybrid" else "self-host"
    outside: Choice = "hosted" if api.same_model else "api"
    costs = f"{describe(best)}: {usd(best.monthly)} a month"
    name, error = api.price.reference, best.capacity.error_percent
    if not data_may_leave:
        return own, f"Prompts may not leave, so self-host. Cheapest: {costs}."
    if api.monthly <= best.monthly:
        ratio = f", {best.monthly / api.monthly:,.1f} times as much" if api.monthly else ""
        return outside, (
            f"The API wins: {name} costs {usd(api.monthly)} a month. The cheapest of your own: "
            f"{costs}{ratio}."
        )
    if slower > api.monthly:
        return outside, (
            f"Stay with {name} at {usd(api.monthly)} a month until one replica is measured. "
            f"Cheaper by estimate: {costs}; but {usd(slower)} if a replica serves {error:.0f}% "
            "less."
        )
    return own, (
        f"Own nodes win. Cheapest: {costs}, where {name} costs {usd(api.monthly)}. It stays "
        f"cheaper if a replica serves {error:.0f}% less ({usd(slower)})."
    )


def place(search: Search) -> str:
    """Says where nodes are rented, such as " in aws us-east-1"; empty where none are."""
    assumptions = search.assumptions
    return "" if assumptions.cloud == "none" else f" in {assumptions.cloud} {assumptions.region}"


def obstacles(
    search: Search, counts: Counts, imposed: Sequence[Constraint], candidates: Sequence[Candidate]
) -> Iterator[str]:
    """Says what stands against every configuration, where none meets all conditions."""
    ways = counts.evaluated + counts.too_little_memory
    gpus = ", ".join(search.gpus) or "any GPU"
    if not ways:
        there = sorted({offer.gpu.name for offer in offers(replace(search, gpus=()))})
        yield (
            f"no node with {gpus} has a price{place(search)}; priced there: "
            f"{', '.join(there) or 'none'}"
        )
        return
    if not candidates:
        yield (
            f"{search.model.name} on {gpus}{place(search)} within {search.max_gpus} GPUs: of "
            f"{ways:,} ways, {counts.too_little_memory:,} have too little memory and "
            f"{counts.too_many_gpus:,} need more GPUs. Replicas over several nodes are not "
            "weighed: set pipelineParallel and see breakeven estimate"
        )
        return
    for constraint in imposed:
        met = sum(constraint.allows(one) for one in candidates)
        closest = f", {constraint.closest(candidates)}" if constraint.closest is not None else ""
        yield f"{constraint.name}: {met:,} of {len(candidates):,} configurations meet it{closest}"


def notes(search: Search, ranked: Sequence[Candidate], not_priced: Sequence[str]) -> Iterator[str]:
    """Says what a reader has to know about the figures."""
    best = ranked[0]
    yield (
        f"A replica of the first serves {best.capacity.total_tokens_per_second:,.0f} tokens a "
        f"second: {best.capacity.method}, within {best.capacity.error_percent:.0f}%."
    )
    yield (
        "Autoscaled and fixed fleets have replicas for the peak minute; a hybrid sends what is "
        "beyond its nodes to the cheapest API."
    )
    if best.objective_share is not None:
        yield (
            f"The first was simulated: {best.objective_share:.1%} of requests have their first "
            f"token within {search.max_prefill_seconds:g} s."
        )
    if any(one.configuration.precision != search.precision for one in ranked):
        yield (
            f"Another precision than {search.precision} changes answers: evaluate the model before "
            "you take it."
        )
    if any(one.configuration.offer.purchase == "spot" for one in ranked):
        a_month = search.spot_interruptions_per_hour * float(CALENDAR_MONTH.hours_per_month)
        yield (
            f"A spot node counts as interrupted {a_month:.2g} times a month "
            "(spotInterruptionsPerMonth)."
        )
    yield from _not_weighed(search)
    if not search.shared_weights and any(one.peak_nodes > 1 for one in ranked):
        yield "More than one node needs weightsAccessMode ReadWriteMany and a storage class for it."
    if not_priced:
        yield f"Not priced, and not in any total: {', '.join(not_priced)}; see breakeven estimate."


def _not_weighed(search: Search) -> Iterator[str]:
    """Says what the stack has and no configuration here."""
    fleet = search.assumptions.fleet
    if fleet.machines_per_node > 1:
        yield (
            f"This stack's replicas span {fleet.machines_per_node} nodes (pipelineParallel). Only "
            "replicas within one node are weighed; the stack's own stand under 'as it stands'."
        )
    if fleet.scheduled:
        yield (
            "scheduledReplicas counts this stack's own replicas, so no configuration here has a "
            "schedule; 'as it stands' has it."
        )
