"""The stack as it would have to be to serve all of its traffic in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.fleet.plan import Fleet, FleetWeek, plan_week
from breakeven.cost.several_models import fleet_week


def is_too_small(assumptions: Assumptions) -> bool:
    """Tells whether the configured fleet of a model does not serve its traffic in time."""
    return any(model.serving is not None and model.serving.enlarged for model in assumptions.models)


def enlarged(assumptions: Assumptions) -> Assumptions:
    """Returns the stack with the fleets that serve all of its traffic in time."""
    models = [
        model
        if model.serving is None
        else replace(model, fleet=model.serving.fleet, simulated=model.serving.week, others=())
        for model in assumptions.models
    ]
    fleets = _sharing([model.fleet for model in models])
    first, *others = (
        replace(model, fleet=fleet, serving=None)
        for model, fleet in zip(models, fleets, strict=True)
    )
    return replace(first, others=tuple(others))


def weeks_if_slower(assumptions: Assumptions) -> tuple[FleetWeek, Sequence[FleetWeek]]:
    """Returns what the fleets do if a replica serves as little as its band allows.

    They are then as large as that takes.

    Returns:
        The week of all of them together, and of each.
    """
    models = assumptions.models
    fleets = _sharing([model.if_slower or model.fleet for model in models])
    weeks = [
        plan_week(
            model.load.requests_per_second(),
            model.load.burst_factor,
            model.capacity.low_requests_per_second,
            fleet,
        )
        for model, fleet in zip(models, fleets, strict=True)
    ]
    first, *others = (
        replace(model, fleet=fleet, others=()) for model, fleet in zip(models, fleets, strict=True)
    )
    return fleet_week(weeks, replace(first, others=tuple(others))), weeks


def nodes_at_peak(assumptions: Assumptions) -> int:
    """Returns the nodes that the fleets of all models have at most."""
    shared = assumptions.fleet.fixed_nodes
    if shared is not None:
        return shared
    return sum(
        math.ceil(model.simulated.totals.peak_replicas / model.fleet.replicas_per_node)
        for model in assumptions.models
    )


def _sharing(fleets: Sequence[Fleet]) -> list[Fleet]:
    """Lets several models share the nodes of a pool of fixed size, as many as hold all of them."""
    fixed = [fleet.fixed_nodes for fleet in fleets if fleet.fixed_nodes is not None]
    if len(fleets) == 1 or not fixed:
        return list(fleets)
    gpus = sum(fleet.highest * fleet.gpus_per_node // fleet.replicas_per_node for fleet in fleets)
    # Each model's own nodes are for itself alone, so that the fewest of them are the stack's own.
    nodes = max(min(fixed), math.ceil(gpus / fleets[0].gpus_per_node))
    return [replace(fleet, fixed_nodes=nodes) for fleet in fleets]
