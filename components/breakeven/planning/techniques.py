"""From settings to the techniques with which a replica's capacity is counted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from breakeven.catalog.models import ModelFacts
from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.price_book import PriceBook
from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.capacity.disaggregation import Disaggregation
from breakeven.cost.capacity.prefix_cache import PrefixCache
from breakeven.cost.capacity.techniques import Speculation, Techniques
from breakeven.cost.demand.load import Load
from breakeven.cost.fleet.plan import units_needed
from breakeven.manifests.serving.sizes import engine_memory_gib
from breakeven.settings.fields import Conflict
from breakeven.settings.stack import Settings
from breakeven.settings.vllm.techniques import SpeculationMethod


@dataclass(frozen=True, slots=True)
class _Acceptance:
    """Usual share of accepted tokens, and the range in which it was seen."""

    usual: float
    low: float
    high: float


_ACCEPTANCE: dict[SpeculationMethod, _Acceptance] = {
    # Text that repeats the prompt is accepted, other text is not: 1.1 to 15 tokens a step by
    # request (SpecDecode-Bench); nothing is usual, so that the middle is cautious.
    "ngram": _Acceptance(0.30, 0.05, 0.60),
    # DeepSeek-V3 technical report (2024), 5.4.3: 85 to 90 % of second tokens. Further heads fall
    # off: 1.3 to 1.8 times as fast with three on GLM-4.5-Air (SpecDecode-Bench).
    "mtp": _Acceptance(0.65, 0.45, 0.85),
    # Leviathan et al. (2023), table 2: 0.53 to 0.75 for a T5-XXL with a T5-small.
    "draft": _Acceptance(0.65, 0.53, 0.75),
    # Up to 1.96 times as fast at one request, 1.2 times at 128 (SpecDecode-Bench, three tokens).
    "eagle": _Acceptance(0.60, 0.45, 0.75),
    "eagle3": _Acceptance(0.60, 0.45, 0.75),
}
"""By method. SpecDecode-Bench: arXiv 2601.11580, vLLM 0.10 and 0.11 on H100, read 2026-11-30; the
usual figures are chosen within what these allow, and are assumptions."""

_KEPT_FOR_THE_NODE = ((4, 0.25), (4, 0.20), (8, 0.10), (112, 0.06), (math.inf, 0.02))
_CLUSTER_PODS_GIB = 2

_STATED_BAND = 0.10  # either side of the user's own figure; assumed, texts of a day differ


def prefix_cache_of(settings: Settings, load: Load, capacity: ReplicaCapacity) -> PrefixCache:
    """Returns what decides how much of the input a stack's replicas find in their prefix caches.

    A replica is full, and as many share the load as the peak minute needs: at quieter times each
    finds more.

    Args:
        settings: Of the model.
        load: Its traffic, with the share that could be found.
        capacity: What a replica serves.
    """
    traffic, replicas = settings.traffic, settings.replicas
    most = max(replicas.max, 1)
    peak = float(load.requests_per_second().max()) * load.burst_factor
    needed = int(units_needed(peak, capacity.requests_per_second))
    count = min(max(needed, replicas.min, 1), most) if replicas.autoscaling else most
    context = load.input_tokens + load.own_output_tokens / 2
    work = capacity.requests_per_second * (
        load.input_tokens * (1 - capacity.cached_input_share) + load.own_output_tokens
    )
    groups = disaggregation_of(settings)
    if groups is not None:  # prompts, and their prefixes, are on these replicas only
        count, work = groups.prefill, work * groups.replicas / groups.prefill
    free = (capacity.held_requests - capacity.concurrent_requests) * context
    return PrefixCache(
        reusable=load.cached_input_share,
        common=min(traffic.shared_prefix_tokens / load.input_tokens, load.cached_input_share),
        replicas=count,
        affinity=settings.gateway.has_affinity,
        free_tokens=max(free, 0.0) + _offloaded_tokens(settings, context),
        tokens_per_second=work,
        reuse_seconds=float(traffic.reuse_seconds),
    )


def room_for_offload(settings: Settings, shape: NodeShape) -> int | None:
    """Returns the memory of a machine that each of its replicas can offload to, in GiB; 0 or more.

    None where the machine's memory is not known. Kept for the node is what GKE keeps, the most of
    the three clouds (25 % of the first 4 GiB, 20 % of the next 4, 10 % of the next 8, 6 % of the
    next 112, 2 % of the rest), and 2 GiB for the cluster's own pods.
    """
    if shape.memory_gib is None:
        return None
    kept, left = float(_CLUSTER_PODS_GIB), shape.memory_gib
    for gibibytes, share in _KEPT_FOR_THE_NODE:
        kept += min(left, gibibytes) * share
        left -= min(left, gibibytes)
    of_each = (shape.memory_gib - kept) / settings.replicas_per_node
    own = engine_memory_gib(settings) - settings.engine.kv_offload_gibibytes
    return max(0, math.floor(of_each - own))


def rooms_for_offload(settings: Settings, book: PriceBook) -> dict[str, int]:
    """Returns `room_for_offload` by machine type, for those whose memory the price book has."""
    rooms = {}
    for machine in settings.pool.instance_types:
        try:
            room = room_for_offload(settings, book.shape(settings.pricing.cloud, machine))
        except LookupError:
            continue  # a machine type with a stated price
        if room is not None:
            rooms[machine] = room
    return rooms


def offload_conflicts(settings: Settings, book: PriceBook) -> Iterator[Conflict]:
    """Yields that a machine has less memory than the key-value cache is to take of it."""
    asked = settings.engine.kv_offload_gibibytes
    for machine, room in rooms_for_offload(settings, book).items() if asked else ():
        if asked > room:
            memory = book.shape(settings.pricing.cloud, machine).memory_gib
            yield Conflict(
                "engine.kvOffloadGibibytes",
                f"{asked} GiB for each of {settings.replicas_per_node} replicas on a {machine}, "
                f"which has {memory:g} GiB",
                f"Allowed: 0 to {room}, which is what host and engine leave; or a machine with "
                "more memory",
                ("pool.instanceTypes", "pool.gpusPerNode", "engine.tensorParallel"),
            )


def _offloaded_tokens(settings: Settings, context: float) -> float:
    """Returns the tokens that the node's memory holds for a replica."""
    offloaded = settings.engine.kv_offload_gibibytes * 2**30
    held = settings.model.facts.request_bytes(
        context,
        tensor_parallel=settings.engine.tensor_parallel,
        bytes_per_element=techniques_of(settings).cache_bytes,
    )
    return offloaded / held * context


def disaggregation_of(settings: Settings) -> Disaggregation | None:
    """Returns both groups of a stack's replicas; None where each replica does both."""
    stated = settings.engine.disaggregation
    if not stated.is_on or stated.link_gigabits_per_second is None:
        return None
    return Disaggregation(
        prefill=stated.prefill_replicas,
        # None is left over only in a stack that is refused.
        decode=max(settings.replicas.max - stated.prefill_replicas, 1),
        link_gigabits_per_second=float(stated.link_gigabits_per_second),
    )


def techniques_of(settings: Settings) -> Techniques:
    """Returns how the engine of a stack departs from plain serving."""
    engine = settings.engine
    return Techniques(
        cache_bytes=1 if engine.kv_cache_precision == "fp8" else None,
        speculation=_speculation(settings),
        data_attention=engine.data_parallel_attention,
        batched_tokens=engine.batched_tokens,
    )


def _speculation(settings: Settings) -> Speculation | None:
    stated = settings.engine.speculation
    if not stated.is_on:
        return None
    found = _ACCEPTANCE[stated.method]
    if stated.acceptance_percent is not None:
        usual = float(stated.acceptance_percent) / 100
        found = _Acceptance(usual, max(0.0, usual - _STATED_BAND), min(1.0, usual + _STATED_BAND))
    plain = Speculation(
        tokens=stated.tokens,
        acceptance=found.usual,
        low_acceptance=found.low,
        high_acceptance=found.high,
    )
    if stated.method == "mtp":
        return _with_own_heads(plain, settings)
    if stated.draft_facts is not None:
        return _with_model(plain, stated.draft_facts)
    if stated.draft_parameters is not None:
        return _with_head(plain, settings.model.facts, int(stated.draft_parameters))
    return plain


def _with_own_heads(plain: Speculation, settings: Settings) -> Speculation:
    """Counts a head as a layer of the model; its experts are chosen as the model's are."""
    facts = settings.model.facts
    share = Fraction(facts.draft_parameters, facts.parameters)
    return _with(
        plain,
        parameters=int(facts.multiplied_parameters * share),
        layers=1,
        weights=int(facts.weight_bytes(settings.model.precision) * share),
        cache=_layer_numbers(facts),
        of_the_model=True,
    )


def _with_model(plain: Speculation, draft: ModelFacts) -> Speculation:
    return _with(
        plain,
        parameters=draft.multiplied_parameters,
        layers=draft.layers,
        weights=draft.weight_bytes(draft.checkpoint.precision),
        cache=sum(group.layers * group.cached_numbers for group in draft.groups),
    )


def _with_head(plain: Speculation, facts: ModelFacts, parameters: int) -> Speculation:
    """Counts a head as one layer of 16-bit weights with the cache of a layer of the model."""
    return _with(
        plain, parameters=parameters, layers=1, weights=2 * parameters, cache=_layer_numbers(facts)
    )


def _with(  # noqa: PLR0913  # one argument a figure of the draft
    plain: Speculation,
    *,
    parameters: int,
    layers: int,
    weights: int,
    cache: int,
    of_the_model: bool = False,
) -> Speculation:
    return Speculation(
        tokens=plain.tokens,
        acceptance=plain.acceptance,
        low_acceptance=plain.low_acceptance,
        high_acceptance=plain.high_acceptance,
        draft_parameters=parameters,
        draft_layers=layers,
        draft_bytes=weights,
        draft_cache_numbers=cache,
        draft_is_of_the_model=of_the_model,
    )


def _layer_numbers(facts: ModelFacts) -> int:
    """Returns the numbers that a layer of the model keeps of a token; the most of any layer."""
    return max((group.cached_numbers for group in facts.groups), default=0)
