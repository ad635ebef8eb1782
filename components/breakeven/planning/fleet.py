"""From settings to the fleet whose week is planned and simulated."""

from __future__ import annotations

import math
from dataclasses import replace

from breakeven.cost.calendar import CALENDAR_MONTH
from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.capacity.engine_defaults import default_requests
from breakeven.cost.capacity.roofline import Engine
from breakeven.cost.demand.load import Load
from breakeven.cost.fleet.plan import Fleet
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration, ReplicaSpeed
from breakeven.cost.fleet.simulation.disaggregated_speed import disaggregated_speed
from breakeven.cost.fleet.simulation.replica_speed import replica_speed
from breakeven.manifests.serving.timings import (
    EXPECTED_NODE_START,
    replica_start,
    scale_up_period,
    stopping_seconds,
)
from breakeven.planning.techniques import disaggregation_of, techniques_of
from breakeven.settings.replicas import ReplicaSettings
from breakeven.settings.stack import Settings

HOURS_PER_MONTH = float(CALENDAR_MONTH.hours_per_month)
HOURS_A_WEEK = 168


def largest_batch(settings: Settings) -> int:
    """Returns the requests that a replica runs at once at most: as stated, or vLLM's own bound."""
    return settings.engine.max_requests or default_requests(settings.pool.gpu)


def fleet_of(settings: Settings) -> Fleet:
    """Returns how a stack's replicas and nodes come and go."""
    pool, replicas = settings.pool, settings.replicas
    machines = settings.engine.pipeline_parallel
    return Fleet(
        lowest=replicas.min,
        highest=replicas.max,
        autoscaling=replicas.autoscaling,
        replicas_per_node=settings.replicas_per_node,
        gpus_per_node=pool.gpus_per_node * machines,
        fixed_nodes=pool.node_count // machines if not pool.can_grow else None,
        start_seconds=replica_start(settings),
        scale_down_seconds=replicas.scale_down_seconds,
        machines_per_node=machines,
        scheduled=_scheduled(replicas),
    )


def _scheduled(replicas: ReplicaSettings) -> tuple[int, ...]:
    """Returns the fewest replicas of each hour from Monday 0:00; an hour begun is a whole one."""
    if not replicas.schedule:
        return ()
    fewest = [0] * HOURS_A_WEEK
    for entry in replicas.schedule:
        first, last = int(entry.start[:2]), int(entry.end[:2]) + (entry.end[3:] != "00")
        for day in range(entry.first_day, entry.last_day + 1):
            for hour in range(first, last):
                fewest[day * 24 + hour] = max(fewest[day * 24 + hour], entry.replicas)
    return tuple(fewest)


def engine_of(settings: Settings) -> Engine:
    """Returns model, precision and GPUs of a replica."""
    return Engine(
        model=settings.model.facts,
        precision=settings.model.precision,
        gpu=settings.pool.gpu,
        tensor_parallel=settings.engine.tensor_parallel,
        pipeline_parallel=settings.engine.pipeline_parallel,
        techniques=techniques_of(settings),
    )


def configuration_of(
    settings: Settings, load: Load, capacity: ReplicaCapacity, interruptions_per_month: float
) -> FleetConfiguration:
    """Gathers what a week rests on.

    Args:
        settings: Of the stack.
        load: Its traffic.
        capacity: What a replica is planned to serve.
        interruptions_per_month: Spot interruptions of a node in a month of 730 hours, 0 or more.
    """
    replicas = settings.replicas
    return FleetConfiguration(
        fleet=fleet_of(settings),
        speed=_speed(settings, load, capacity),
        # Objectives may allow fewer in flight than the stack states; its notes say so.
        target_requests=min(replicas.target_requests, capacity.concurrent_requests),
        target_waiting=replicas.target_waiting,
        growth_seconds=scale_up_period(settings),
        node_start_seconds=EXPECTED_NODE_START,
        grace_seconds=stopping_seconds(settings),
        objective_seconds=float(settings.traffic.time_to_first_token_seconds),
        interruptions_per_node_hour=interruptions_per_month / HOURS_PER_MONTH,
        overflow_requests=_overflow_requests(settings),
    )


def _speed(settings: Settings, load: Load, capacity: ReplicaCapacity) -> ReplicaSpeed:
    engine, groups = engine_of(settings), disaggregation_of(settings)
    found = replace(load, cached_input_share=capacity.cached_input_share)
    utilization = float(settings.engine.gpu_memory_utilization)
    if groups is not None:
        return disaggregated_speed(
            engine,
            found,
            capacity,
            groups,
            gpu_memory_utilization=utilization,
            max_model_length=settings.model.max_length,
            largest_batch=largest_batch(settings),
        )
    return replica_speed(
        engine,
        found,
        capacity,
        gpu_memory_utilization=utilization,
        max_model_length=settings.model.max_length,
        largest_batch=largest_batch(settings),
        adapter_bytes=settings.model.adapter_bytes,
    )


def _overflow_requests(settings: Settings) -> float:
    if settings.overflow_api is None:
        return math.inf
    return settings.gateway.overflow.requests_per_replica


def interruptions_of(settings: Settings) -> float:
    """Returns spot interruptions of a node in a month; 0 where the first choice is not spot."""
    pool = settings.pool
    return float(pool.spot_interruptions_per_month) if pool.first_purchase == "spot" else 0.0
