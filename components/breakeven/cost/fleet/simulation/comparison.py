"""The simulated week, compared with a plan of each hour's peak minute, and why they differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.fleet.plan import FleetCurve, FleetWeek, plan_week, wanted_replicas
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.result import OBJECTIVE_SHARE, Week
from breakeven.cost.fleet.simulation.simulate import simulate_week

_ALIKE = 0.02  # a difference below it needs no explanation
# Of arrivals; what is left beyond it at the end was never going to be served.
_BACKLOG_SECONDS = 600


class Difference(StrEnum):
    """Why simulation and plan differ, or do not."""

    NONE_FIXED_NODES = "none-fixed-nodes"
    NONE_SAME_REPLICAS = "none-same-replicas"
    REPLICAS_ALIKE = "replicas-alike"
    FEWER_REPLICAS = "fewer-replicas"
    MORE_REPLICAS = "more-replicas"
    DRAINING_NODES = "draining-nodes"
    PARTLY_FILLED_NODES = "partly-filled-nodes"
    BACKLOG = "backlog"
    QUEUEING = "queueing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both views of a stack.

    Attributes:
        assumptions: What they rest on.
        configuration: What was simulated.
        seed: Of the draws.
        week: The simulation.
        plan: Each hour in balance with its own peak minute.
        planned_replicas: Its replicas, averaged over the hours.
        calm_replicas: What they would be without bursts.
    """

    assumptions: Assumptions
    configuration: FleetConfiguration
    seed: int
    week: Week
    plan: FleetWeek
    planned_replicas: float
    calm_replicas: float

    @property
    def nodes_beyond_replicas(self) -> float:
        """Nodes paid on average beyond those that the replicas fill."""
        totals, fleet = self.week.totals, self.configuration.fleet
        return totals.mean_nodes - totals.mean_replicas / fleet.replicas_per_node

    def reasons(self) -> tuple[Difference, ...]:
        """Returns what explains the differences, most costly first."""
        return (*self._nodes(), *self._queueing())

    def _nodes(self) -> tuple[Difference, ...]:
        totals = self.week.totals
        if self.configuration.fleet.fixed_nodes is not None:
            return (Difference.NONE_FIXED_NODES,)
        if totals.replica_starts == 0 and self.planned_replicas == totals.mean_replicas:
            return (Difference.NONE_SAME_REPLICAS,)
        return (self._replicas(), *self._room())

    def _replicas(self) -> Difference:
        plan, had = self.planned_replicas, self.week.totals.mean_replicas
        if abs(had - plan) <= _ALIKE * plan:
            return Difference.REPLICAS_ALIKE
        return Difference.FEWER_REPLICAS if had < plan else Difference.MORE_REPLICAS

    def _room(self) -> tuple[Difference, ...]:
        """Explains nodes beyond those that the replicas fill."""
        if self.nodes_beyond_replicas <= _ALIKE * self.week.totals.mean_nodes:
            return ()
        if self.configuration.fleet.replicas_per_node == 1:
            return (Difference.DRAINING_NODES,)
        return (Difference.PARTLY_FILLED_NODES,)

    def _queueing(self) -> tuple[Difference, ...]:
        totals = self.week.totals
        arrivals = totals.requests / (totals.hours * 3600)
        if totals.in_flight_at_end > arrivals * _BACKLOG_SECONDS:
            return (Difference.BACKLOG,)
        return (Difference.QUEUEING,) if totals.objective_share < OBJECTIVE_SHARE else ()


def compare(assumptions: Assumptions, configuration: FleetConfiguration, seed: int) -> Comparison:
    """Simulates a stack's week and compares it with the plan.

    Args:
        assumptions: Of the estimate.
        configuration: Of the same stack.
        seed: Of the draws, 0 or more.

    Raises:
        DemandError: The burst factor is beyond what an hour's minutes can have.
    """
    load, fleet = assumptions.load, replace(assumptions.fleet, curve=FleetCurve())
    rates = load.requests_per_second()
    capacity = assumptions.capacity.requests_per_second

    def replicas(burst_factor: float) -> float:
        return float(np.mean(wanted_replicas(rates * burst_factor, capacity, fleet)))

    return Comparison(
        assumptions=assumptions,
        configuration=configuration,
        seed=seed,
        week=simulate_week(rates, load.burst_factor, configuration, seed),
        plan=plan_week(rates, load.burst_factor, capacity, fleet),
        planned_replicas=replicas(load.burst_factor),
        calm_replicas=replicas(1.0),
    )
