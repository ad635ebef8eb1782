"""Changes of settings that may lower the bill; `levers` estimates them.

A figure that a candidate rests on is in the price book or follows from the stack. Where the book
has no price for the stack's machine and region there is no candidate: no discount is guessed.
Replicas are never so few that only one is left where the stack keeps two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.node_cost import RentedNode
from breakeven.cost.report import Report
from breakeven.planning.demand import capacity_of
from breakeven.planning.fleet import largest_batch
from breakeven.planning.lever_candidates.machines import machines, regions
from breakeven.planning.lever_candidates.sizes import (
    REDUNDANT,
    Candidate,
    capacity_for,
    fewest_replicas,
    listed_price,
    needed_replicas,
    sizes_for,
)
from breakeven.planning.lever_candidates.techniques import affinity, techniques
from breakeven.planning.own_measurement import has_own_figure
from breakeven.settings.stack import Settings, Stack

STARTS_SHARE = Decimal("0.05")
"""Part of the bill from which on what starting nodes and replicas cost is worth a lever."""

_LONGER_SECONDS = (1800, 3600)
_HOURS = 24


def candidates_of(stack: Stack, report: Report) -> Iterator[Candidate]:
    """Yields the changes that are worth an estimate.

    Args:
        stack: The stack.
        report: Its estimate.
    """
    if stack.pricing.nodes == "list":
        yield from _commitment(stack, report)
        yield from _spot(stack, report)
        if not stack.pricing.commitment_percent:
            # A discount of one machine and region is nobody's promise for another.
            yield from regions(stack, report)
            if len(stack.models) == 1 and stack.pool.can_grow:
                yield from machines(stack, report)
    if len(stack.models) == 1 and report.hybrid is not None and report.api.decides:
        yield from _hybrid(stack.models[0], report)
    yield from affinity(stack, report)
    for settings, model in zip(stack.models, report.assumptions.models, strict=True):
        for candidate in _of_model(settings, model, report):
            keys = {settings.origin.key(key): value for key, value in candidate.settings.items()}
            yield replace(candidate, settings=keys)


def _of_model(settings: Settings, model: Assumptions, report: Report) -> Iterator[Candidate]:
    yield from _precision(settings, model)
    yield from techniques(settings, model)
    replicas = settings.replicas
    if not replicas.autoscaling:
        committed = settings.pricing.commitment_percent
        if settings.pool.can_grow and replicas.min > 1 and not committed:
            changed = {"replicas.autoscaling": True, "replicas.min": fewest_replicas(settings)}
            changed["replicas.max"] = max(replicas.max, needed_replicas(model, model.capacity))
            yield Candidate("autoscaling", changed)
        return
    if replicas.min > REDUNDANT:
        yield Candidate("fewer-replicas", {"replicas.min": REDUNDANT})
    yield from _target(settings, model)
    if report.starts.monthly > report.total * STARTS_SHARE:
        yield from _fewer_starts(settings, model)


def _fewer_starts(settings: Settings, model: Assumptions) -> Iterator[Candidate]:
    replicas = settings.replicas
    for seconds in _LONGER_SECONDS:
        if seconds > replicas.scale_down_seconds:
            yield Candidate("scale-down", {"replicas.scaleDownSeconds": seconds})
            break
    mean = round(model.simulated.totals.mean_replicas)
    if replicas.min < mean <= replicas.max and not replicas.schedule:
        yield Candidate("more-replicas", {"replicas.min": mean})
    if not replicas.schedule:
        yield from _schedule(settings, model)


def _schedule(settings: Settings, model: Assumptions) -> Iterator[Candidate]:
    """Keeps the replicas of the day, so that they start once and not many times."""
    by_hour = np.asarray(model.simulated.replicas)
    if len(by_hour) % _HOURS:
        return
    day = by_hour.reshape(-1, _HOURS).mean(axis=0)
    busy = np.flatnonzero(day > (day.min() + day.max()) / 2)
    if not len(busy) or len(busy) == _HOURS:
        return
    kept = min(round(float(day[busy].mean())), settings.replicas.max)
    if kept <= settings.replicas.min:
        return
    entries = []
    for run in np.split(busy, np.flatnonzero(np.diff(busy) > 1) + 1):
        end = int(run[-1]) + 1
        until = "23:59" if end == _HOURS else f"{end:02}:00"
        entries.append(f"mon-sun {int(run[0]):02}:00-{until} {kept}")
    yield Candidate("schedule", {"replicas.schedule": entries})


def _target(settings: Settings, model: Assumptions) -> Iterator[Candidate]:
    """Fills replicas as far as memory and objectives allow."""
    full = replace(
        settings,
        replicas=settings.replicas.model_copy(update={"target_requests": largest_batch(settings)}),
    )
    most = capacity_of(full, model.load).concurrent_requests
    if most <= settings.replicas.target_requests:
        return
    changed: dict[str, object] = {"replicas.targetRequests": most}
    if settings.gateway.is_hybrid:
        overflow = settings.gateway.overflow.requests_per_replica
        changed["gateway.overflow.requestsPerReplica"] = max(overflow, most)
    yield Candidate("target-requests", changed)


def _precision(settings: Settings, model: Assumptions) -> Iterator[Candidate]:
    facts = settings.model.facts
    if has_own_figure(settings):
        return  # measured with the present one
    for precision in facts.precisions:
        if facts.weight_bytes(precision) >= facts.weight_bytes(settings.model.precision):
            continue
        changed: dict[str, object] = {"model.precision": precision}
        other = replace(
            settings,
            model=settings.model.model_copy(update={"stated_precision": precision}),
        )
        if settings.engine.pipeline_parallel > 1:
            changed["engine.pipelineParallel"] = 1
            engine = settings.engine.model_copy(update={"pipeline_parallel": 1})
            other = replace(other, engine=engine)
        capacity = capacity_for(other, model)
        # Another precision than fp8 needs weights that somebody else has quantized.
        if capacity is None or not other.model.quantizes_while_loading:
            continue
        yield Candidate("precision", changed | sizes_for(other, model, capacity))


def _hybrid(settings: Settings, report: Report) -> Iterator[Candidate]:
    """Lets own replicas serve no more than in the cheapest split, and the gateway's API the rest.

    Another mode would need teams and their keys, which only the user can name.
    """
    if report.hybrid is None or not settings.gateway.is_hybrid:
        return
    replicas, own = settings.replicas, report.hybrid.nodes * settings.replicas_per_node
    if own >= replicas.max:
        return
    changed = {"replicas.max": own}
    if own < replicas.min or not replicas.autoscaling:
        changed["replicas.min"] = own
    yield Candidate("hybrid", {settings.origin.key(key): each for key, each in changed.items()})


def _commitment(stack: Stack, report: Report) -> Iterator[Candidate]:
    """Pays for a year or three as the price book lists it for the machine and region.

    An autoscaled fleet either becomes a constant one, or only what always runs is committed to.
    """
    node, pricing = report.assumptions.node, stack.pricing
    if not isinstance(node, RentedNode) or node.purchase != "on-demand":
        return
    plain = listed_price(stack, report, pricing.region, node.machine, "on-demand")
    if plain is None or any(model.replicas.schedule for model in stack.models):
        return
    for years in (1, 3):
        purchase = f"reserved-{years}y"
        listed = listed_price(stack, report, pricing.region, node.machine, purchase)
        percent = 0 if listed is None else math.floor((1 - listed.usd / plain.usd) * 100)
        if percent <= pricing.commitment_percent:
            continue
        changed: dict[str, object] = {"pricing.commitmentPercent": percent}
        if years != pricing.commitment_years:
            changed["pricing.commitmentYears"] = years
        yield Candidate("commitment", changed | _constant(stack, report))
        if _constant(stack, report) and all(model.replicas.min for model in stack.models):
            yield Candidate("commitment", changed)


def _constant(stack: Stack, report: Report) -> dict[str, object]:
    """Lets the replicas of the peak minute run always, as a commitment pays for them."""
    changed: dict[str, object] = {}
    for settings, model in zip(stack.models, report.assumptions.models, strict=True):
        if settings.replicas.autoscaling and stack.pool.can_grow:
            count = max(needed_replicas(model, model.capacity), fewest_replicas(settings))
            fixed = {"autoscaling": False, "min": count, "max": count}
            changed |= {settings.origin.key(f"replicas.{key}"): fixed[key] for key in fixed}
    return changed


def _spot(stack: Stack, report: Report) -> Iterator[Candidate]:
    pool, region = stack.pool, stack.pricing.region
    if pool.first_purchase == "spot" or not pool.kind.supports("spot"):
        return
    priced = [
        each for each in pool.instance_types if listed_price(stack, report, region, each, "spot")
    ]
    if not priced:
        return
    others = [each for each in pool.capacity_types if each != "spot"]
    changed: dict[str, object] = {"pool.capacityTypes": ["spot", *others]}
    if len(priced) < len(pool.instance_types):
        changed["pool.instanceTypes"] = priced
    if stack.pricing.commitment_percent:
        changed["pricing.commitmentPercent"] = 0
    yield Candidate("spot", changed)
