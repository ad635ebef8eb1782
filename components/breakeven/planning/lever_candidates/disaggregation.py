"""Prefill and decode on separate replicas, where fewer of them serve the load: for `levers`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.fleet.plan import units_needed
from breakeven.planning.demand import group_rates_of
from breakeven.planning.lever_candidates.sizes import (
    Candidate,
    capacity_for,
    fewest_replicas,
    needed_replicas,
)
from breakeven.planning.own_measurement import has_own_figure
from breakeven.settings.checks.disaggregation import disaggregation_conflicts
from breakeven.settings.stack import Settings


def disaggregation(
    settings: Settings, model: Assumptions, fullest: ReplicaCapacity | None
) -> Iterator[Candidate]:
    """Yields two groups that serve the peak minute with fewer replicas than those that do both.

    Only where the stack states a link: no network is guessed. Each group keeps two replicas where
    the stack keeps two.

    Args:
        settings: Of the model.
        model: Its estimate.
        fullest: What a replica that does both serves with as many requests as memory and
            objectives allow; None where it misses an objective.
    """
    stated = settings.engine.disaggregation
    if stated.is_on or stated.link_gigabits_per_second is None or has_own_figure(settings):
        return
    if settings.replicas.schedule:
        return
    fewest = fewest_replicas(settings)
    rates = group_rates_of(_with(settings, fewest, fewest), model.load, model.capacity)
    if rates is None or rates.missed is not None:
        return
    peak = float(model.load.requests_per_second().max()) * model.load.burst_factor
    prefill, decode = (
        max(int(units_needed(peak, rate)), fewest) for rate in (rates.prefill, rates.decode)
    )
    other = _with(settings, prefill, decode)
    if next(disaggregation_conflicts(other), None) is not None:
        return
    both = None if fullest is None else max(needed_replicas(model, fullest), fewest)
    if both is not None and prefill + decode >= both:
        return
    capacity = capacity_for(other, model)
    if capacity is None or needed_replicas(model, capacity) > prefill + decode:
        return
    changed: dict[str, object] = {
        "engine.disaggregation.prefillReplicas": prefill,
        "replicas.min": prefill + decode,
        "replicas.max": prefill + decode,
    }
    if settings.replicas.autoscaling:
        changed["replicas.autoscaling"] = False
    yield Candidate("disaggregation", changed)


def _with(settings: Settings, prefill: int, decode: int) -> Settings:
    groups = settings.engine.disaggregation.model_copy(update={"prefill_replicas": prefill})
    fixed = {"autoscaling": False, "min": prefill + decode, "max": prefill + decode}
    return replace(
        settings,
        engine=settings.engine.model_copy(update={"disaggregation": groups}),
        replicas=settings.replicas.model_copy(update=fixed),
    )
