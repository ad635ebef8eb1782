"""From a candidate to the stacks with it: the one on trial, and the one after its promotion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from breakeven.errors import Problem
from breakeven.settings.fields import Conflict, json_value
from breakeven.settings.files import with_settings
from breakeven.settings.rollouts.candidate import FIXED, CandidateSettings
from breakeven.settings.stack import (
    CANDIDATE,
    CoLocated,
    RolloutCandidate,
    Settings,
    Stack,
    fits_together,
)

Values: TypeAlias = Mapping[str, object]
Read: TypeAlias = Callable[[Values], tuple[Stack, tuple[Problem, ...]]]
"""Reads a stack without a candidate."""

_KEY = "candidate"


def with_candidate(
    values: Values, stack: Stack, problems: tuple[Problem, ...], read: Read
) -> tuple[Stack, tuple[Problem, ...]]:
    """Adds the candidate of a stack, or returns the stack after its promotion.

    Args:
        values: What the stack states.
        stack: The stack without it.
        problems: The mistakes found in that.
        read: Reads another stack.
    """
    candidate = stack.candidate
    stated = {
        key: json_value(value) if isinstance(value, str) else value for key, value in values.items()
    }
    stated.pop(_KEY, None)
    if not candidate.settings or candidate.stage == "withdrawn" or problems:
        return stack, problems
    if refused := [*_refusals(stack)]:
        return stack, _told(refused)
    promoted, found = read(with_settings(stated, candidate.settings))
    mistakes = of_candidate(found, candidate)
    if candidate.stage == "promoted" or mistakes:
        return promoted if not mistakes else stack, mistakes
    alone, found = read(with_settings(stated, {**candidate.settings, **_replicas(candidate)}))
    mistakes = of_candidate(found, candidate)
    if mistakes:
        return stack, mistakes
    [model] = stack.models
    tried = _tried(model, alone, promoted, candidate)
    conflicts = [*_differences(model, promoted.models[0]), *_room(stack, tried)]
    return _beside(stack, tried), _told(conflicts)


def of_candidate(
    problems: tuple[Problem, ...], candidate: CandidateSettings
) -> tuple[Problem, ...]:
    """Returns mistakes of a stack with a candidate's settings, with the keys to change."""
    return tuple(replace(each, key=_stated_as(each.key, candidate)) for each in problems)


def _stated_as(key: str, candidate: CandidateSettings) -> str:
    if key in _replicas(candidate):
        return f"{_KEY}.replicas"
    return f"{_KEY}.settings.{key}"


def _replicas(candidate: CandidateSettings) -> dict[str, object]:
    """Returns the settings by which a candidate's replicas always run."""
    return {
        "replicas.min": candidate.replicas,
        "replicas.max": candidate.replicas,
        "replicas.autoscaling": False,
        "replicas.schedule": None,
        "replicas.availabilityPercent": None,
    }


def _tried(
    model: Settings, alone: Stack, promoted: Stack, candidate: CandidateSettings
) -> RolloutCandidate:
    has_own_pool = alone.pool != model.pool
    beside = CoLocated(
        model=model.model.facts.name,
        name=model.name,
        gpus=model.engine.tensor_parallel,
        highest=model.replicas.max,
        served=model.model.served,
        api_key_secret=model.engine.api_key_secret,
        longest_request_seconds=model.engine.longest_request_seconds,
        max_length=model.model.max_length,
    )
    settings = replace(
        alone.models[0],
        name=f"{model.name}-{CANDIDATE}",
        qualifier=CANDIDATE,
        co_located=() if has_own_pool else (beside,),
    )
    return RolloutCandidate(
        stack=replace(alone, models=(settings,)),
        promoted=promoted,
        traffic_percent=candidate.traffic_percent,
        has_own_pool=has_own_pool,
    )


def _refusals(stack: Stack) -> Iterator[Conflict]:
    """Yields why a stack can have no candidate, whatever it changes."""
    key = "candidate.settings"
    if not stack.gateway.is_on:
        yield Conflict(
            key,
            "a candidate without a gateway: nothing would send it a share of the requests",
            "Set gateway.enabled to true, or gateway.mode to hybrid",
        )
    if len(stack.models) > 1:
        yield Conflict(
            key,
            f"a candidate in a stack of {len(stack.models)} models",
            "Allowed in a stack of one model; move the model to a separate stack for the trial",
        )
    elif stack.models[0].engine.pipeline_parallel > 1:
        yield Conflict(
            key,
            f"a candidate with engine.pipelineParallel {stack.models[0].engine.pipeline_parallel}",
            "Allowed with replicas on one node; try a replica that spans nodes as a separate stack",
        )


def _differences(model: Settings, candidate: Settings) -> Iterator[Conflict]:
    """Refuses a candidate that is the model, or that cannot answer what the model answers."""
    key = "candidate.settings"
    groups = ("model", "engine", "weights", "pool")
    if all(getattr(model, group) == getattr(candidate, group) for group in groups):
        yield Conflict(
            key,
            "the same values as the model's",
            f"Allowed: at least one other value; not {', '.join(FIXED)}",
        )
    if candidate.model.max_length < model.model.max_length:
        yield Conflict(
            f"{key}.model.maxLength",
            f"{candidate.model.max_length:,} is less than the model's "
            f"{model.model.max_length:,}: longer requests of its share would fail",
            f"Allowed: {model.model.max_length:,} or more, or lower model.maxLength first",
        )
    if candidate.pool == model.pool:
        return
    if model.pool.can_grow and model.pricing.nodes != "list":
        yield Conflict(
            f"{key}.pool",
            f"other nodes, but pricing.nodes {model.pricing.nodes} has the price of the model's",
            "Allowed with pricing.nodes list, or without a change of pool",
        )
    if not model.pool.can_grow:
        yield Conflict(
            f"{key}.pool",
            f"other nodes, but pool {model.pool.kind.name} makes none",
            "Allowed: settings of model, engine and weights; for another GPU, use a pool kind that "
            "makes nodes, or a separate stack",
        )


def _room(stack: Stack, tried: RolloutCandidate) -> Iterator[Conflict]:
    """Refuses a candidate for which GPUs are missing."""
    pool, candidate = stack.pool, tried.settings
    [model] = stack.models
    if not pool.can_grow:
        asked = [(each.engine.tensor_parallel, each.replicas.max) for each in (model, candidate)]
        if not fits_together(pool, asked):
            yield Conflict(
                "candidate.replicas",
                f"{candidate.replicas.max} of {candidate.engine.tensor_parallel} GPUs next to "
                f"replicas.max {model.replicas.max} of {model.engine.tensor_parallel}, on "
                f"{pool.node_count} nodes of {pool.gpus_per_node}",
                "Allowed: fewer, a lower replicas.max, or more nodes",
            )
    elif tried.has_own_pool:
        return  # a quota is for GPUs of one type
    elif pool.gpu_quota and (peak := _beside(stack, tried).peak_gpus) > pool.gpu_quota:
        yield Conflict(
            "candidate.replicas",
            f"{candidate.replicas.max}: with the model's replicas they take {peak} GPUs in whole "
            f"nodes of {pool.gpus_per_node}, and pool.gpuQuota is {pool.gpu_quota}",
            f"Request a quota of {peak}, or lower candidate.replicas or replicas.max",
        )


def _beside(stack: Stack, tried: RolloutCandidate) -> Stack:
    [model] = stack.models
    return replace(stack, models=(replace(model, tried=tried),))


def _told(conflicts: list[Conflict]) -> tuple[Problem, ...]:
    return tuple(Problem(each.key, each.found, each.allowed, each.price) for each in conflicts)
