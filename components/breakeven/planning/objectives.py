"""The latencies that a stack states as objectives, and what they leave of its plans."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.capacity.disaggregation import HANDOVER_SECONDS
from breakeven.cost.capacity.latency import latencies
from breakeven.cost.capacity.memory_fit import smallest_fits
from breakeven.cost.capacity.objectives import Objectives
from breakeven.cost.capacity.roofline import Engine, RequestShape
from breakeven.cost.demand.load import Load
from breakeven.cost.notes import (
    Disaggregated,
    EngineOlderThanCalibration,
    Note,
    ObjectiveBound,
    ObjectiveOutOfReach,
    PrefixCacheShare,
)
from breakeven.planning.fleet import engine_of, largest_batch
from breakeven.planning.techniques import disaggregation_of, prefix_cache_of
from breakeven.settings.stack import Settings

_WORTH_SAYING = 0.005


def objectives_of(settings: Settings) -> Objectives:
    """Returns the latencies that a replica is to keep; where texts are only read, to the answer."""
    traffic = settings.traffic
    first = float(traffic.time_to_first_token_seconds)
    if not settings.model.facts.generates:
        return Objectives(first_token_seconds=first)
    return Objectives(
        first_token_seconds=first,
        inter_token_seconds=float(traffic.inter_token_latency_seconds),
    )


def objective_notes(settings: Settings, load: Load, capacity: ReplicaCapacity) -> Iterator[Note]:
    """Yields what an objective takes from the requests that a replica could run at once.

    Args:
        settings: Of the model.
        load: Its traffic.
        capacity: What a replica is planned to serve within the objectives.
    """
    objectives, bound_by = objectives_of(settings), capacity.bound_by
    if capacity.missed is not None:
        yield ObjectiveOutOfReach(
            capacity.missed,
            seconds=objectives.limit(capacity.missed),
            fastest_seconds=capacity.latencies.of(capacity.missed),
            would_keep=_would_keep(settings, load, objectives),
        )
    elif bound_by is not None:
        replicas = settings.replicas
        yield ObjectiveBound(
            bound_by,
            seconds=objectives.limit(bound_by),
            requests=capacity.concurrent_requests,
            otherwise=min(
                replicas.target_requests if replicas.autoscaling else largest_batch(settings),
                capacity.held_requests,
            ),
            target_requests=replicas.target_requests if replicas.autoscaling else None,
        )


def prefix_notes(settings: Settings, load: Load, capacity: ReplicaCapacity) -> Iterator[Note]:
    """Yields that replicas find less in their prefix caches than could be reused."""
    found = capacity.cached_input_share
    if load.cached_input_share - found < _WORTH_SAYING:
        return
    cache = prefix_cache_of(settings, load, capacity)
    yield PrefixCacheShare(
        reusable=load.cached_input_share,
        found=found,
        replicas=cache.replicas,
        kept=cache.kept,
        affinity=cache.affinity,
        prefix_stated=settings.traffic.shared_prefix_tokens > 0,
    )


def disaggregation_notes(settings: Settings, load: Load) -> Iterator[Note]:
    """Yields that prefill and decode are on separate replicas."""
    groups = disaggregation_of(settings)
    if groups is not None:
        yield Disaggregated(
            prefill=groups.prefill,
            decode=groups.decode,
            transfer_seconds=groups.transfer_seconds(engine_of(settings), load.input_tokens),
            handover_seconds=HANDOVER_SECONDS,
        )


def engine_notes(settings: Settings, capacity: ReplicaCapacity) -> Iterator[Note]:
    """Yields that the engine is older than all whose measurements its capacity rests on."""
    if capacity.calibration is None:
        return
    oldest, version = capacity.calibration.oldest_engine, settings.engine.version[:2]
    if version < oldest:
        yield EngineOlderThanCalibration(_shown(version), _shown(oldest))


def _shown(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _would_keep(settings: Settings, load: Load, objectives: Objectives) -> tuple[str, ...]:
    """Returns GPUs and precisions with which at least a single request keeps the objectives."""
    request = RequestShape(
        input_tokens=load.input_tokens,
        output_tokens=load.steps,
        cached_input_tokens=load.cached_input_tokens,
    )

    def keeps(engine: Engine) -> bool:
        return objectives.missed(latencies(engine, request, 1)) is None

    return smallest_fits(
        settings.model.facts,
        max_model_length=settings.model.max_length,
        gpu_memory_utilization=float(settings.engine.gpu_memory_utilization),
        suits=keeps,
    )
