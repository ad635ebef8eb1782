"""What several candidates of `levers` need: capacities, sizes of fleets, prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from breakeven.catalog.price import Price, PriceMissingError
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.capacity.capacity import ModelDoesNotFitError, ReplicaCapacity
from breakeven.cost.fleet.plan import units_needed
from breakeven.cost.levers import LeverKind
from breakeven.cost.report import Report
from breakeven.planning.demand import capacity_of
from breakeven.settings.stack import Settings, Stack

REDUNDANT = 2
"""Replicas of which one may fail."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Settings that may lower the bill: new values by dotted key; None takes one away."""

    kind: LeverKind
    settings: Mapping[str, object]


def sizes_for(
    settings: Settings, model: Assumptions, capacity: ReplicaCapacity
) -> dict[str, object]:
    """Returns the replicas that serve the peak minute with another capacity."""
    replicas, needed = settings.replicas, needed_replicas(model, capacity)
    if not replicas.autoscaling:
        count = max(needed, fewest_replicas(settings))
        changed: dict[str, object] = {}
        if count != replicas.max:
            changed |= {"replicas.min": count, "replicas.max": count}
        return changed
    changed = {"replicas.max": needed} if needed > replicas.max else {}
    if replicas.target_requests > capacity.held_requests:
        changed["replicas.targetRequests"] = capacity.concurrent_requests
    return changed


def fewest_replicas(settings: Settings) -> int:
    """Returns the fewest replicas that are as redundant as those of the stack: 1 or 2."""
    return min(max(settings.replicas.min, 1), REDUNDANT)


def needed_replicas(model: Assumptions, capacity: ReplicaCapacity) -> int:
    """Returns the replicas that serve the peak minute."""
    peak = float(model.load.requests_per_second().max()) * model.load.burst_factor
    return int(units_needed(peak, capacity.requests_per_second))


def capacity_for(settings: Settings, model: Assumptions) -> ReplicaCapacity | None:
    """Returns what a replica serves; None where it does not fit, is too slow, or is not known."""
    try:
        capacity = capacity_of(settings, model.load)
    except ModelDoesNotFitError:
        return None
    known = not capacity.is_unknown or model.capacity.is_unknown
    return capacity if capacity.missed is None and known else None


def listed_price(
    stack: Stack, report: Report, region: str, machine: str, purchase: str
) -> Price | None:
    """Returns the price of a node; None where the book has none, or only one that is too old."""
    book, pricing = report.assumptions.book, stack.pricing
    try:
        price = book.node(pricing.cloud, region, machine, purchase)
    except PriceMissingError:
        return None
    return None if book.is_stale(price, pricing.max_age_days) else price
