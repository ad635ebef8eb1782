"""From the settings of one model to its demand, and to what a replica serves of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TypedDict

from breakeven.catalog.model_parts import Task
from breakeven.cost.capacity.capacity import (
    ModelDoesNotFitError,
    ReplicaCapacity,
    replica_capacity,
)
from breakeven.cost.capacity.disaggregation import (
    GroupRates,
    disaggregated_capacity,
    group_rates,
)
from breakeven.cost.capacity.objectives import Objectives
from breakeven.cost.capacity.roofline import RequestShape
from breakeven.cost.demand.lengths import (
    CONVERSATIONS,
    CONVERSATIONS_SOURCE,
    relative_lengths,
)
from breakeven.cost.demand.load import FLAT, Load, Unit, flat_shape, published_shape, read_shape
from breakeven.percentiles import PERCENTILES
from breakeven.planning.apis import ComparedApis, compared_apis
from breakeven.planning.fleet import HOURS_A_WEEK, engine_of, largest_batch
from breakeven.planning.objectives import objectives_of
from breakeven.planning.own_measurement import own_figure
from breakeven.planning.techniques import disaggregation_of, prefix_cache_of, techniques_of
from breakeven.settings.fields import Conflict
from breakeven.settings.files import TRAFFIC
from breakeven.settings.stack import Settings

_UNITS: Mapping[Task, Unit] = {"generate": "request", "embed": "text", "score": "pair"}

_TURNS = 8
_SAME_SHARE = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDemand:
    """The traffic of a model, and the APIs that could serve it."""

    load: Load
    apis: ComparedApis


def demand_of(settings: Settings, today: date) -> tuple[ModelDemand | None, list[Conflict]]:
    """Gathers a model's traffic and its APIs' prices; None where the API in use has none.

    Args:
        settings: Of the model.
        today: Day on which prices are looked up.

    Returns:
        The demand, and what cannot be used.
    """
    load, conflicts = _load(settings)
    apis, wrong = compared_apis(settings, load, today)
    conflicts += wrong
    if apis is None:
        return None, conflicts
    return ModelDemand(load=load, apis=apis), conflicts


def capacity_of(settings: Settings, load: Load) -> ReplicaCapacity:
    """Returns what a replica is planned to serve.

    How much of the reusable input it finds in its prefix cache depends on how many replicas there
    are, which depends on what each serves: both are found in turns, from full credit on.

    Args:
        settings: Of the model.
        load: Its traffic.
    """
    capacity = _capacity_at(settings, load, load.cached_input_share)
    for _ in range(_TURNS if load.cached_input_share else 0):
        found = prefix_cache_of(settings, load, capacity).share
        is_same = abs(found - capacity.cached_input_share) < _SAME_SHARE
        capacity = _capacity_at(settings, load, found)
        if is_same:
            break
    return capacity


def _capacity_at(settings: Settings, load: Load, cached_share: float) -> ReplicaCapacity:
    model, engine = settings.model, settings.engine
    groups = disaggregation_of(settings)
    if groups is not None:
        request, arguments = _request(load, cached_share), _group_arguments(settings)
        return disaggregated_capacity(engine_of(settings), request, groups, **arguments)
    measured = own_figure(settings, load, _concurrency(settings))
    capacity = replica_capacity(
        model.facts,
        precision=model.precision,
        gpu=settings.pool.gpu,
        tensor_parallel=engine.tensor_parallel,
        pipeline_parallel=engine.pipeline_parallel,
        adapter_bytes=model.adapter_bytes,
        gpu_memory_utilization=float(engine.gpu_memory_utilization),
        max_model_length=model.max_length,
        input_tokens=load.input_tokens,
        output_tokens=load.steps,
        cached_input_share=cached_share,
        concurrency_limit=_concurrency(settings),
        measured_output_tokens_per_second=(
            None if measured is None else measured.output_tokens_per_second
        ),
        measured_requests=None if measured is None else measured.concurrency,
        objectives=objectives_of(settings),
        techniques=techniques_of(settings),
    )
    if measured is None:
        return capacity
    return replace(capacity.extrapolated(measured.distance), record=measured.record)


def group_rates_of(settings: Settings, load: Load, found: ReplicaCapacity) -> GroupRates | None:
    """Returns what a replica of each group serves; None for one that does both or is too small.

    Args:
        settings: Of the model.
        load: Its traffic.
        found: Of which only the share of the input counts that is found in the prefix cache.
    """
    groups = disaggregation_of(settings)
    if groups is None:
        return None
    request, arguments = _request(load, found.cached_input_share), _group_arguments(settings)
    try:
        return group_rates(engine_of(settings), request, groups, **arguments)
    except ModelDoesNotFitError:
        return None


def _request(load: Load, cached_share: float) -> RequestShape:
    return RequestShape(
        input_tokens=load.input_tokens,
        output_tokens=load.steps,
        cached_input_tokens=load.input_tokens * cached_share,
    )


class _GroupArguments(TypedDict):
    gpu_memory_utilization: float
    max_model_length: int
    concurrency_limit: int
    objectives: Objectives


def _group_arguments(settings: Settings) -> _GroupArguments:
    return _GroupArguments(
        gpu_memory_utilization=float(settings.engine.gpu_memory_utilization),
        max_model_length=settings.model.max_length,
        concurrency_limit=largest_batch(settings),
        objectives=objectives_of(settings),
    )


def target_conflicts(settings: Settings, capacity: ReplicaCapacity) -> Iterator[Conflict]:
    """Refuses to aim at more requests in flight than memory holds: the rest would wait forever."""
    target, held = settings.replicas.target_requests, capacity.held_requests
    if settings.replicas.autoscaling and target > held:
        yield Conflict(
            "replicas.targetRequests",
            f"{target}, but a replica's memory holds {held} requests of this length",
            f"Allowed: 1 to {held}; a higher engine.tensorParallel or a larger pool.gpu holds more",
        )


def _concurrency(settings: Settings) -> int:
    """Returns the requests in flight at which a replica counts as full."""
    if settings.replicas.autoscaling:
        return settings.replicas.target_requests
    return largest_batch(settings)


def _load(settings: Settings) -> tuple[Load, list[Conflict]]:
    traffic = settings.traffic
    conflicts = []
    shape, source = published_shape()
    if traffic.shape == "flat":
        shape, source = flat_shape(), FLAT
    elif traffic.shape != "published":
        path = TRAFFIC / traffic.shape
        try:
            shape, source = read_shape(path), f"stacks/traffic/{traffic.shape}"
        except ValueError as error:
            found = f"{traffic.shape}, {error}"
            conflicts.append(Conflict("traffic.shape", found, "Fix the file"))
    if settings.replicas.schedule and len(shape) % HOURS_A_WEEK:
        conflicts.append(
            Conflict(
                "traffic.shape",
                f"{traffic.shape} has {len(shape)} hours, with replicas.schedule",
                f"Allowed: whole weeks of {HOURS_A_WEEK} hours from Monday 0:00",
                ("replicas.schedule",),
            )
        )
    lengths, lengths_source = CONVERSATIONS, CONVERSATIONS_SOURCE
    if not settings.model.facts.generates:  # texts are cut to nearly one length
        lengths, lengths_source = {}, ""
    if traffic.input_percentiles:
        stated = traffic.input_percentiles
        lengths = {PERCENTILES[name]: tokens for name, tokens in stated.items()}
        lengths_source = "traffic.inputPercentiles"
    load = Load(
        tokens_per_day=traffic.tokens_per_day,
        input_tokens=traffic.input_tokens,
        output_tokens=traffic.output_tokens if settings.model.facts.generates else 0,
        cached_input_share=traffic.cached_input_percent / 100,
        shape=shape,
        shape_source=source,
        burst_factor=float(traffic.burst_factor),
        own_output_ratio=float(settings.api.own_output_percent) / 100,
        input_lengths=relative_lengths(lengths) if lengths_source else (1.0,),
        lengths_source=lengths_source,
        unit=_UNITS[settings.model.facts.task],
    )
    return load, conflicts
