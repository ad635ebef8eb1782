"""Techniques that may lower the bill: candidates of `levers`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from breakeven.catalog.recipes import find_draft_head, find_recipe
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.report import Report
from breakeven.planning.fleet import largest_batch
from breakeven.planning.lever_candidates.disaggregation import disaggregation
from breakeven.planning.lever_candidates.sizes import (
    Candidate,
    capacity_for,
    fewest_replicas,
    needed_replicas,
)
from breakeven.planning.own_measurement import has_own_figure
from breakeven.planning.techniques import rooms_for_offload
from breakeven.settings.engine import EngineSettings
from breakeven.settings.stack import Settings, Stack
from breakeven.settings.vllm.techniques import SpeculationSettings

PLACEHOLDER_TEAM = "clients"
"""Stands for the teams of a gateway, which only the user can name."""

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
    yield from disaggregation(settings, model, _fullest(settings, model))
    stated = _recommended_speculation(settings)
    if stated is not None and not engine.speculation.is_on and engine.pipeline_parallel == 1:
        changed = {f"engine.speculation.{key}": value for key, value in stated.items()}
        proposing = engine.model_copy(
            update={"speculation": SpeculationSettings.model_validate(stated)}
        )
        yield from _with(settings, model, proposing, Candidate("speculation", changed))


def affinity(stack: Stack, report: Report) -> Iterator[Candidate]:
    """Puts a gateway in front, which sends requests that begin alike to the same replica."""
    if stack.gateway.is_on:
        return
    gateway = stack.gateway.model_copy(update={"enabled": True})
    changed: dict[str, object] = {"gateway.enabled": True, "gateway.teams": {PLACEHOLDER_TEAM: {}}}
    more = 0.0
    for settings, model in zip(stack.models, report.assumptions.models, strict=True):
        if has_own_figure(settings) or not settings.model.facts.generates:
            continue
        capacity = capacity_for(replace(settings, gateway=gateway), model)
        if capacity is not None:
            more = max(more, capacity.cached_input_share - model.capacity.cached_input_share)
            for key, value in _fewer(settings, model, capacity).items():
                changed[settings.origin.key(key)] = value
    if more >= _WORTH_IT:
        yield Candidate("prefix-affinity", changed)


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


def _recommended_speculation(settings: Settings) -> dict[str, object] | None:
    """Returns what the model's recipe says of speculation, as settings state it.

    None where it says nothing, or proposes tokens in a way of which too little is known: a head
    whose size or commit is not in the catalog, or a method for which no acceptance is published.
    """
    recipe = find_recipe(settings.model.repository)
    if recipe is None or not recipe.speculative_config:
        return None
    recommended = json.loads(recipe.speculative_config)
    method, tokens = str(recommended.get("method")), int(recommended["num_speculative_tokens"])
    stated: dict[str, object] = {}
    if tokens != SpeculationSettings().tokens:
        stated["tokens"] = tokens
    if "mtp" in method and settings.model.facts.draft_parameters:
        return {"method": "mtp", **stated}
    head = find_draft_head(str(recommended.get("model")))
    if method not in {"eagle", "eagle3"} or head is None:
        return None
    weights = f"{head.repository}@{head.revision}"
    return {"method": method, **stated, "model": weights, "draftParameters": head.parameters}


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
