"""Weeks that both simulations run."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.demand.lengths import CONVERSATIONS, relative_lengths
from breakeven.cost.demand.load import published_shape
from breakeven.cost.fleet.plan import Fleet
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration, ReplicaSpeed
from breakeven.cost.fleet.simulation.prompt_times import PromptTimes

SPEED = ReplicaSpeed(
    slots=32,
    seconds_alone=20.0,
    seconds_full=45.0,
    first_token_seconds=0.2,
    planned_requests_per_second=0.5,
)

TOKENS = tuple(round(1_155 * relative) for relative in relative_lengths(CONVERSATIONS))
"""Prompts of a request, of equal weight."""

PROMPTS = PromptTimes(
    alone=tuple(max(0.001 + tokens * 1.7e-4, 0.08) for tokens in TOKENS),
    work=tuple(tokens * 1.7e-4 for tokens in TOKENS),
    steps=tuple(math.ceil(tokens / 2048) for tokens in TOKENS),
    budget_share=tuple(tokens / 2048 for tokens in TOKENS),
    decode_alone=0.08,
    decode_full=0.17,
)
"""Their times, which go with `SPEED`: 250 tokens of output at 80 ms alone, and 0.2 s a prompt."""

CONFIGURATION = FleetConfiguration(
    fleet=Fleet(
        lowest=1,
        highest=24,
        autoscaling=True,
        replicas_per_node=1,
        gpus_per_node=1,
        fixed_nodes=None,
        start_seconds=350.0,
        scale_down_seconds=300.0,
    ),
    speed=SPEED,
    target_requests=16,
    target_waiting=5,
    growth_seconds=350.0,
    node_start_seconds=180.0,
    grace_seconds=135.0,
    objective_seconds=2.0,
)


def changed(**fleet: Any) -> FleetConfiguration:
    """The plain configuration with another fleet."""
    return replace(CONFIGURATION, fleet=replace(CONFIGURATION.fleet, **fleet))


@dataclass(frozen=True)
class Case:
    """One configuration under one load."""

    name: str
    rates: NDArray[np.float64]
    configuration: FleetConfiguration
    burst_factor: float = 1.8


def cases(hours: int) -> tuple[Case, ...]:
    """Flat and published hours, low and high load, windows, nodes of several replicas, shortage."""
    flat = np.ones(hours)
    published = np.asarray(published_shape()[0][:hours])
    published = published / published.mean()
    return (
        Case("flat, low load", flat * 0.3, CONFIGURATION),
        Case("flat, high load", flat * 2.0, CONFIGURATION),
        Case("published, low load", published * 0.3, CONFIGURATION),
        Case("published, high load", published * 2.0, CONFIGURATION),
        Case("flat, scale-down window 0", flat * 2.0, changed(scale_down_seconds=0.0)),
        Case("published, scale-down window 0", published * 2.0, changed(scale_down_seconds=0.0)),
        Case("published, 4 replicas a node", published * 2.0, changed(replicas_per_node=4)),
        Case("published, at most 4 replicas", published * 2.0, changed(highest=4)),
        Case(
            "published, 5 fixed nodes",
            published * 2.0,
            changed(lowest=5, highest=5, autoscaling=False, fixed_nodes=5, start_seconds=170.0),
        ),
        Case("published, no bursts", published * 2.0, CONFIGURATION, burst_factor=1.0),
    )
