"""Inputs of the search for the cheapest configuration of a stack."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from breakeven.cost.capacity.objectives import Objectives
from breakeven.cost.optimizer.search import Offer, OwnMeasurement, Search
from breakeven.manifests.serving.timings import (
    EXPECTED_NODE_START,
    doubling_period,
    replica_start,
    stopping_seconds,
)
from breakeven.planning.fleet import HOURS_PER_MONTH, largest_batch
from breakeven.planning.inputs import weights_gigabytes
from breakeven.planning.objectives import objectives_of
from breakeven.planning.offline import LoadedStack
from breakeven.planning.own_measurement import own_figure
from breakeven.settings.stack import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The options of `breakeven recommend`."""

    gpus: tuple[str, ...] = ()
    max_gpus: int = 64
    latency_ms: float | None = None
    prefill_ms: float | None = None
    commitment_percent: Decimal | None = None


def search_of(stack: LoadedStack, wishes: Wishes) -> Search:
    """Gathers the inputs of a search."""
    settings, replicas = stack.settings, stack.settings.replicas
    # Only configurations whose nodes can be added can add replicas.
    precisions = settings.model.facts.precisions
    starts = {
        precision: replica_start(stack.with_precision(precision), new_node=True)
        for precision in precisions
    }
    percent = wishes.commitment_percent
    return Search(
        assumptions=stack.assumptions,
        ledgers={precision: stack.ledger(precision) for precision in precisions},
        start_seconds=starts,
        growth_seconds={precision: doubling_period(each) for precision, each in starts.items()},
        gpu_memory_utilization=float(settings.engine.gpu_memory_utilization),
        max_model_length=settings.model.max_length,
        adapter_bytes=settings.model.adapter_bytes,
        # With autoscaling off, minReplicas is the size of the fleet, not a minimum.
        lowest_replicas=max(1, replicas.min) if replicas.autoscaling else 1,
        target_requests=replicas.target_requests,
        largest_batch=largest_batch(settings),
        own_offer=_own_offer(stack),
        volume_gigabytes=settings.pool.node_volume_gigabytes,
        shared_weights=settings.shared_weights,
        max_age_days=settings.pricing.max_age_days,
        gpus=wishes.gpus or _startable(settings),
        max_gpus=wishes.max_gpus,
        commitment_share=None if percent is None else percent / 100,
        objectives=_objectives(settings, wishes),
        measured=_measured(stack),
        target_waiting=replicas.target_waiting,
        node_start_seconds=EXPECTED_NODE_START,
        grace_seconds=stopping_seconds(settings),
        spot_interruptions_per_hour=float(settings.pool.spot_interruptions_per_month)
        / HOURS_PER_MONTH,
        weights_gigabytes={
            precision: weights_gigabytes(stack.with_precision(precision))
            for precision in precisions
        },
    )


def _objectives(settings: Settings, wishes: Wishes) -> Objectives:
    """Returns the stack's objectives, overridden by the command line."""
    found = objectives_of(settings)
    if wishes.latency_ms is not None:
        found = replace(found, inter_token_seconds=wishes.latency_ms / 1000)
    if wishes.prefill_ms is not None:
        found = replace(found, first_token_seconds=wishes.prefill_ms / 1000)
    return found


def _startable(settings: Settings) -> tuple[str, ...]:
    """Returns the GPUs that the stack's pool can start; empty for all."""
    kind = settings.pool.kind
    return kind.gpus if kind.restricts_gpus else ()


def _own_offer(stack: LoadedStack) -> Offer | None:
    settings, node = stack.settings, stack.assumptions.node
    pricing = settings.pricing.nodes
    if pricing == "list":
        return None
    grows = settings.pool.can_grow
    return Offer(
        gpu=settings.pool.gpu,
        gpus_per_node=settings.pool.gpus_per_node,
        machine="own node",
        purchase="owned" if pricing == "owned" else "stated",
        node=node,
        nodes_follow=grows,
        volume_gigabytes=settings.pool.node_volume_gigabytes if grows else 0,
    )


def _measured(stack: LoadedStack) -> OwnMeasurement | None:
    settings, replicas = stack.settings, stack.settings.replicas
    full = replicas.target_requests if replicas.autoscaling else largest_batch(settings)
    own = own_figure(settings, stack.assumptions.load, full)
    if own is None:
        return None
    return OwnMeasurement(
        gpu=settings.pool.gpu.name,
        precision=settings.model.precision,
        tensor_parallel=settings.engine.tensor_parallel,
        output_tokens_per_second=own.output_tokens_per_second,
    )
