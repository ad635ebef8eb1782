"""What was paid: as it happened, and as the preview simulates it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bench.loop.case import Clock
from breakeven.cost.fleet.simulation.arithmetic import ONE
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS
from breakeven.cost.fleet.simulation.parameters import parameters_of
from breakeven.cost.fleet.simulation.run import Run

KARPENTER_REMOVAL_SECONDS = 10 / 2 + 15
"""From a node that may go to its removal, whatever is set: Karpenter 1.13 looks every 10 seconds
(pollingPeriod) and again 15 seconds later (commandValidationDelay)."""


@dataclass
class Paid:
    """Sums over time.

    Attributes:
        nodes: Node-steps.
        replicas: Replica-steps, as the autoscaler wanted them.
        ready: Replica-steps that answered.
        peak: Most replicas.
        least: Fewest nodes.
        types: Node-steps by machine type.
    """

    nodes: float = 0.0
    replicas: float = 0.0
    ready: float = 0.0
    peak: int = 0
    least: int = 1_000_000
    types: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, steps: float, types: Sequence[str], replicas: int, ready: int) -> None:
        """Add some steps."""
        self.nodes += steps * len(types)
        self.replicas += steps * replicas
        self.ready += steps * ready
        self.peak = max(self.peak, replicas)
        self.least = min(self.least, len(types))
        for each in types:
            self.types[each] += steps


def simulated(
    configuration: FleetConfiguration, clock: Clock, arrivals: NDArray[np.float64]
) -> Paid:
    """What the preview's simulation says, for nodes that go as late as Karpenter lets them."""
    removal = round(KARPENTER_REMOVAL_SECONDS / clock.step_seconds)
    parameters = replace(parameters_of(configuration), consolidate_steps=removal)
    random = np.random.default_rng(0)
    run, paid = Run(parameters, ONE, float(arrivals[0]) / STEP_SECONDS, 0), Paid()
    for count in arrivals.tolist():
        replicas, ready, nodes, *_ = run.step(
            count, random.standard_normal(), random.random(), random.random(), 0
        )
        paid.add(1.0, [""] * int(nodes), int(replicas), int(ready))
    return paid
