"""From settings to the facts about a deployment that a reader of its estimate has to know."""

from __future__ import annotations

import math
from collections.abc import Iterator

from breakeven.catalog.recipes import find_recipe, version_text
from breakeven.cost.notes import (
    AdapterWorkNotCounted,
    ArchitectureUnknown,
    CommitUnknown,
    EngineTooOld,
    HoldsRequests,
    Note,
    NotScraped,
    PrecisionNotNative,
    ProcessorsAssumed,
    PurchaseFallback,
    ReservedNodes,
    ScheduledReplicas,
    SpansNodes,
    SparseAttentionUnsupported,
    UpdateStrategy,
)
from breakeven.manifests.gateway.labels import METRICS_PORT
from breakeven.manifests.gateway.limits import holds_of
from breakeven.manifests.serving.labels import ENGINE_PORT
from breakeven.manifests.serving.rollout import rollout_of
from breakeven.settings.model import UNKNOWN_REVISION
from breakeven.settings.pool import PoolSettings
from breakeven.settings.stack import Settings


def notes_of(settings: Settings) -> tuple[Note, ...]:
    """Returns what a reader of the estimate has to know about the deployment."""
    return tuple(_notes(settings))


def update_strategy(settings: Settings) -> UpdateStrategy:
    """Returns how updates and rollbacks replace the replicas of a stack."""
    rollout = rollout_of(settings)
    fewest = settings.replicas.min
    return UpdateStrategy(
        kind="surge" if rollout.max_surge else "replace" if fewest > 1 else "stop",
        adds_node=settings.pool.can_grow,
        replicas=fewest,
        hindrance=rollout.hindrance,
        gpu_quota=settings.pool.gpu_quota if rollout.hindrance == "gpu-quota" else None,
        gap_minutes=math.ceil(rollout.gap_seconds / 60),
        overflows=settings.overflow_api is not None,
    )


def _notes(settings: Settings) -> Iterator[Note]:
    yield update_strategy(settings)
    yield from model_notes(settings)
    if settings.engine.pipeline_parallel > 1:
        yield SpansNodes(settings.engine.pipeline_parallel)
    if settings.model.lora_adapters:
        yield AdapterWorkNotCounted()
    if settings.replicas.schedule:
        yield ScheduledReplicas(settings.replicas.time_zone)
    held = holds_of(settings, settings.gateway) if settings.gateway.is_on else {}
    if hold := held.get(settings.name):
        model = settings.model.facts.name if settings.co_located else None
        yield HoldsRequests(requests=hold.requests, seconds=hold.least_seconds, model=model)
    if settings.replicas.autoscaling and not settings.monitoring.enabled:
        yield NotScraped(
            prometheus_address=settings.monitoring.prometheus_address,
            engine_port=ENGINE_PORT,
            # From zero replicas on, the autoscaler counts the requests at the gateways.
            gateway_port=None if settings.replicas.min else METRICS_PORT,
        )
    if settings.pricing.nodes == "list":
        yield from _purchase(settings.pool)


def model_notes(settings: Settings) -> Iterator[Note]:
    """Yields what the model asks of engine and GPU, as far as the stack does not have it."""
    model, facts = settings.model, settings.model.facts
    if facts.is_estimated:
        yield ArchitectureUnknown(facts.architecture)
    recipe = find_recipe(model.repository)
    needed = recipe.oldest_version(model.repository) if recipe else ()
    if settings.engine.version < needed:
        yield EngineTooOld(
            model=facts.name,
            needed=version_text(needed),
            stated=version_text(settings.engine.version),
        )
    stored = facts.stored_precisions(model.precision)
    lacking = tuple(each for each in stored if not settings.pool.gpu.multiplies(each))
    if lacking:
        yield PrecisionNotNative(gpu=settings.pool.gpu.name, precisions=lacking)
    if settings.pool.gpu.is_cpu and settings.engine.measured_output_tokens_per_second is None:
        yield ProcessorsAssumed(settings.pool.gpu.source)
    if facts.has_sparse_attention and not settings.pool.gpu.has_sparse_attention:
        yield SparseAttentionUnsupported(model=facts.name, gpu=settings.pool.gpu.name)
    if model.revision == UNKNOWN_REVISION:
        yield CommitUnknown(model.repository)


def _purchase(pool: PoolSettings) -> Iterator[Note]:
    first, others = pool.first_purchase, pool.capacity_types[1:]
    if first == "reserved":
        yield ReservedNodes()
    elif others and pool.kind.purchases:
        yield PurchaseFallback(first, tuple(others))
