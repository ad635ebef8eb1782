"""Techniques that may lower the bill: candidates of `levers`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from breakeven.catalog.recipes import find_recipe
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.planning.fleet import largest_batch
from breakeven.planning.lever_candidates.sizes import (
    Candidate,
    capacity_for,
    fewest_replicas,
    needed_replicas,
)
from breakeven.planning.own_measurement import has_own_figure
from breakeven.planning.techniques import rooms_for_offload
from breakeven.settings.engine import EngineSettings
from breakeven.settings.stack import Settings
from breakeven.settings.vllm.techniques import SpeculationSettings

_WORTH_IT = 0.02
"""Share of the input that is not found from which on a place for it is worth an estimate."""

_WORTHWHILE = 1.02
"""Times as many requests a second from which on a technique is worth an estimate."""


def techniques(settings: Settings, model: Assumptions) -> Iterator[Candidate]:
    """Yields techniques that the model and the GPU have, and the stack does not use.

    None where the stack states a measurement, which is of the engine as it is, or where the model
    only reads; and none whose
    effect nobody has measured, such as attention by data parallelism.
    """
    engine = settings.engine
    if has_own_figure(settings) or not settings.model.facts.generates:
        return
    if engine.kv_cache_precision == "auto" and settings.model.facts.cache_element_bytes > 1:
        changed: dict[str, object] = {"engine.kvCachePrecision": "fp8"}
        smaller = engine.model_copy(update={"kv_cache_precision": "fp8"})
        if settings.pool.gpu.fp8_tflops is not None:
            yield from _with(settings, model, smaller, Candidate("kv-cache", changed))
    yield from _offload(settings, model)
    tokens = _own_heads(settings)
    if tokens and not engine.speculation.is_on and engine.pipeline_parallel == 1:
        changed = {"engine.speculation.method": "mtp"}
        if tokens != SpeculationSettings().tokens:
            changed["engine.speculation.tokens"] = tokens
        stated = SpeculationSettings(method="mtp", tokens=tokens)
        proposing = engine.model_copy(update={"speculation": stated})
        yield from _with(settings, model, proposing, Candidate("speculation", changed))


def _offload(settings: Settings, model: Assumptions) -> Iterator[Candidate]:
    """Lets the node's memory keep prefixes, where replicas find less than could be reused."""
    found = model.capacity.cached_input_share
    if settings.engine.pipeline_parallel > 1 or model.load.cached_input_share - found < _WORTH_IT:
        return
    rooms = rooms_for_offload(settings, model.book)
    if len(rooms) < max(len(settings.pool.instance_types), 1):
        return
    room = min(rooms.values())
    if room <= settings.engine.kv_offload_gibibytes:
        return
    changed: dict[str, object] = {"engine.kvOffloadGibibytes": room}
    larger = settings.engine.model_copy(update={"kv_offload_gibibytes": room})
    capacity = capacity_for(replace(settings, engine=larger), model)
    if capacity is not None:
        yield Candidate("kv-offload", changed | _fewer(settings, model, capacity))


def _own_heads(settings: Settings) -> int:
    """Returns the tokens that the model's recipe lets its own heads propose; 0 for none."""
    recipe = find_recipe(settings.model.repository)
    if recipe is None or not recipe.speculative_config or not settings.model.facts.draft_parameters:
        return 0
    stated = json.loads(recipe.speculative_config)
    return int(stated["num_speculative_tokens"]) if "mtp" in str(stated.get("method")) else 0


def _with(
    settings: Settings, model: Assumptions, engine: EngineSettings, candidate: Candidate
) -> Iterator[Candidate]:
    """Yields a technique with replicas as full as it allows, where that serves more."""
    other = replace(settings, engine=engine)
    plain, found = (_fullest(each, model) for each in (settings, other))
    if plain is None or found is None:
        return
    if found.requests_per_second < plain.requests_per_second * _WORTHWHILE:
        return
    changed = {**candidate.settings, **_fewer(other, model, found)}
    if settings.replicas.autoscaling:
        target = max(found.concurrent_requests, 1)
        if target != settings.replicas.target_requests:
            changed["replicas.targetRequests"] = target
        if settings.gateway.is_hybrid:
            overflow = settings.gateway.overflow.requests_per_replica
            changed["gateway.overflow.requestsPerReplica"] = max(overflow, target)
    yield replace(candidate, settings=changed)


def _fewer(settings: Settings, model: Assumptions, capacity: ReplicaCapacity) -> dict[str, object]:
    """Returns the replicas of a fleet that does not follow the load, where fewer serve it."""
    count = max(needed_replicas(model, capacity), fewest_replicas(settings))
    if settings.replicas.autoscaling or count >= settings.replicas.max:
        return {}
    return {"replicas.min": count, "replicas.max": count}


def _fullest(settings: Settings, model: Assumptions) -> ReplicaCapacity | None:
    """Returns what a replica serves with as many requests as memory and objectives allow."""
    full = settings.replicas.model_copy(update={"target_requests": largest_batch(settings)})
    return capacity_for(replace(settings, replicas=full), model)
