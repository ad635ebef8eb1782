"""The simulated week beside a plan of each hour's peak minute, and why they differ, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.fleet.plan import FleetWeek, NodesPaid, plan_week, wanted_replicas
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.result import OBJECTIVE_SHARE, Week
from breakeven.cost.fleet.simulation.simulate import simulate_week

_ALIKE = 0.02  # a difference below it needs no explanation
_BACKLOG_SECONDS = (
    600  # of arrivals; what is left beyond it at the end was never going to be served
)


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

    def reasons(self) -> tuple[str, ...]:
        """Returns sentences that explain the differences, most costly first."""
        return (*self._nodes(), *self._queueing())

    def _nodes(self) -> tuple[str, ...]:
        totals, fleet = self.week.totals, self.configuration.fleet
        if fleet.fixed_nodes is not None:
            fixed = fleet.fixed_nodes * fleet.machines_per_node
            nodes = "1 node is" if fixed == 1 else f"{fixed} nodes are"
            return (f"The same node-hours, because {nodes} paid at all hours whatever runs.",)
        if totals.replica_starts == 0 and self.planned_replicas == totals.mean_replicas:
            replicas = f"{totals.peak_replicas} at all hours"
            return (f"The same replicas, {replicas}: neither plan nor autoscaler asks for others.",)
        return (*self._replicas(), *self._room())

    def _replicas(self) -> tuple[str, ...]:
        totals, speed = self.week.totals, self.configuration.speed
        plan, had = self.planned_replicas, totals.mean_replicas
        by_plan = (
            f"By plan {plan:.2f} replicas run on average, enough in each hour for its peak minute "
            f"({self.calm_replicas:.2f} would do without bursts); the autoscaler had {had:.2f}"
        )
        if abs(had - plan) <= _ALIKE * plan:
            return (f"{by_plan}, nearly the same.",)
        if had < plan:
            cause = (
                "it adds replicas only once requests are there, and with few in flight a replica "
                f"answers sooner ({speed.seconds_alone:.1f} s alone, {speed.seconds_full:.1f} "
                f"s with {speed.slots} in flight)"
            )
        else:
            cause = (
                f"a start takes {self.configuration.fleet.start_seconds:.0f} s, and while requests "
                "wait it asks for up to twice as many every "
                f"{self.configuration.growth_seconds:.0f} s, {totals.peak_replicas} at the most; "
                "then it removes one a minute at best"
            )
        return (f"{by_plan}: {cause}.",)

    def _room(self) -> tuple[str, ...]:
        """Explains nodes beyond those that the replicas fill."""
        totals, fleet = self.week.totals, self.configuration.fleet
        filled = totals.mean_replicas / fleet.replicas_per_node
        beyond = totals.mean_nodes - filled
        if beyond <= _ALIKE * totals.mean_nodes:
            return ()
        if fleet.replicas_per_node == 1:
            cause = "nodes of stopped replicas that end their requests, then wait to be removed"
        else:
            cause = (
                "Kubernetes takes replicas from the fullest node first, so a node that has room "
                "for more is removed only when as few replicas as nodes are left"
            )
        beyond *= fleet.machines_per_node
        return (f"{beyond:.2f} nodes on average are paid beyond what replicas fill: {cause}.",)

    def _queueing(self) -> tuple[str, ...]:
        totals, load = self.week.totals, self.assumptions.load
        left = totals.in_flight_at_end
        if left > totals.requests / (totals.hours * 3600) * _BACKLOG_SECONDS:
            return (f"The fleet can't keep up: {left:,} requests are left. Raise maxReplicas.",)
        if totals.objective_share >= OBJECTIVE_SHARE:
            return ()
        scaled = self.configuration.fleet.autoscaling
        advice = "a higher minReplicas or a lower targetRequestsPerReplica"
        burst = f"bursts of {load.burst_factor:g} x the hour in its peak minute"
        queueing = f"The plan does not show queueing. Here requests wait in {burst}; "
        return (f"{queueing}{advice if scaled else 'more replicas'} would help.",)


def compare(assumptions: Assumptions, configuration: FleetConfiguration, seed: int) -> Comparison:
    """Simulates a stack's week and sets it beside the plan.

    Args:
        assumptions: Of the estimate.
        configuration: Of the same stack.
        seed: Of the draws, 0 or more.

    Raises:
        DemandError: The burst factor is beyond what an hour's minutes can have.
    """
    load, fleet = assumptions.load, replace(assumptions.fleet, nodes_paid=NodesPaid())
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
