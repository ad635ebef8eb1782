"""Configurations as numbers of steps: floats for one, arrays for many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from breakeven.cost.fleet.simulation.arithmetic import Number
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS

CONSOLIDATE_SECONDS = 80
"""From empty to removed: consolidateAfter in charts/gpu_pool/node-pool.yaml.j2, 60 s, and what
Karpenter 1.13 takes to see it (it looks every 10 s) and to validate it (15 s); seen in the closed
loop, docs/closed-loop.md."""


NO_OVERFLOW = 1e12
"""Requests per replica that no fleet holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """See `FleetConfiguration`. Times are whole steps."""

    lowest: Number
    highest: Number
    target_requests: Number
    target_waiting: Number
    growth_steps: Number
    scale_down_steps: Number
    replicas_per_node: Number
    fixed_nodes: Number
    node_start_steps: Number
    load_steps: Number
    grace_steps: Number
    consolidate_steps: Number
    interruptions_per_step: Number
    overflow_requests: Number
    slots: Number
    seconds_alone: Number
    seconds_per_neighbour: Number
    seconds_full: Number


def parameters_of(configuration: FleetConfiguration) -> Parameters:
    """Returns one configuration in floats and steps."""
    fleet, speed = configuration.fleet, configuration.speed
    node_start = 0.0 if fleet.fixed_nodes is not None else configuration.node_start_seconds
    return Parameters(
        lowest=fleet.lowest if fleet.autoscaling else fleet.highest,
        highest=fleet.highest,
        target_requests=configuration.target_requests,
        target_waiting=configuration.target_waiting,
        growth_steps=max(1, round(configuration.growth_seconds / STEP_SECONDS)),
        scale_down_steps=max(1, round(fleet.scale_down_seconds / STEP_SECONDS)),
        replicas_per_node=fleet.replicas_per_node,
        fixed_nodes=fleet.fixed_nodes or 0,
        node_start_steps=round(node_start / STEP_SECONDS),
        load_steps=round((fleet.start_seconds - node_start) / STEP_SECONDS),
        grace_steps=round(configuration.grace_seconds / STEP_SECONDS),
        consolidate_steps=CONSOLIDATE_SECONDS // STEP_SECONDS,
        interruptions_per_step=configuration.interruptions_per_node_hour * STEP_SECONDS / 3600,
        # A product with no replica must not be infinity times nothing.
        overflow_requests=min(configuration.overflow_requests, NO_OVERFLOW),
        slots=speed.slots,
        seconds_alone=speed.seconds_alone,
        seconds_per_neighbour=speed.seconds_per_neighbour,
        seconds_full=speed.seconds_full,
    )


def stacked(parameters: Sequence[Parameters], each: int | Sequence[int] = 1) -> Parameters:
    """Returns many configurations as one, an array a parameter, with `each` elements for each."""
    return Parameters(
        **{
            field.name: np.repeat([getattr(one, field.name) for one in parameters], each)
            for field in fields(Parameters)
        }
    )
