"""The cheapest configurations as an autoscaler would run them, not as a plan of peak minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from breakeven.cost.capacity.roofline import Engine
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.curves import point_of, through
from breakeven.cost.fleet.simulation.hours import Case, simulate_hours
from breakeven.cost.fleet.simulation.replica_speed import replica_speed
from breakeven.cost.optimizer.candidates import Candidate, Evaluator


def simulate_candidates(evaluator: Evaluator, planned: Sequence[Candidate]) -> list[Candidate]:
    """Simulates the week of each, and prices it again with the nodes that are then paid.

    Args:
        evaluator: What evaluated them.
        planned: Configurations, none of them a hybrid.
    """
    if not planned:
        return []
    search = evaluator.search
    burst_factor = search.assumptions.load.burst_factor
    cases = [Case(evaluator.rates, burst_factor, _configuration(evaluator, one)) for one in planned]
    weeks = simulate_hours(cases)
    found = []
    for one, case, week in zip(planned, cases, weeks, strict=True):
        totals, fleet = week.totals, case.configuration.fleet
        simulated = through([point_of(case, totals, one.mean_nodes)])
        again = evaluator.evaluate_fleet(
            one.configuration, one.capacity, replace(fleet, curve=simulated)
        )
        found.append(replace(again, objective_share=totals.objective_share))
    return found


def _configuration(evaluator: Evaluator, candidate: Candidate) -> FleetConfiguration:
    search, chosen = evaluator.search, candidate.configuration
    engine = Engine(
        model=search.model,
        precision=chosen.precision,
        gpu=chosen.offer.gpu,
        tensor_parallel=chosen.tensor_parallel,
        techniques=search.techniques.on(chosen.offer.gpu, chosen.tensor_parallel),
    )
    fleet = evaluator.fleet(chosen, candidate.capacity)
    spot = chosen.offer.purchase == "spot"
    return FleetConfiguration(
        fleet=fleet,
        speed=replica_speed(
            engine,
            search.own_load,
            candidate.capacity,
            gpu_memory_utilization=search.gpu_memory_utilization,
            max_model_length=search.max_model_length,
            largest_batch=search.largest_batch,
            adapter_bytes=search.adapter_bytes,
        ),
        target_requests=candidate.capacity.concurrent_requests,
        target_waiting=search.target_waiting,
        growth_seconds=search.growth_seconds[chosen.precision],
        node_start_seconds=search.node_start_seconds,
        grace_seconds=search.grace_seconds,
        objective_seconds=search.objectives.first_token_seconds,
        interruptions_per_node_hour=search.spot_interruptions_per_hour if spot else 0.0,
    )
