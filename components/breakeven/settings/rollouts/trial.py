"""From a candidate to the stacks with it: the one on trial, and the one after its promotion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from breakeven.errors import Problem
from breakeven.settings.fields import Conflict, json_value
from breakeven.settings.files import MODELS, PER_MODEL, with_settings
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


def with_candidates(
    values: Values, stack: Stack, problems: tuple[Problem, ...], read: Read
) -> tuple[Stack, tuple[Problem, ...]]:
    """Adds the candidates of a stack's models, or returns the stack after their promotion.

    Args:
        values: What the stack states.
        stack: The stack without them.
        problems: The mistakes found in that.
        read: Reads another stack.
    """
    stated = [model for model in stack.models if _is_there(model)]
    if not stated or problems:
        return stack, problems
    if refused := [each for model in stated for each in _refusals(model, stack)]:
        return stack, _told(refused)
    settled, base = settled_values(values, stack), stack
    promoted = [model for model in stated if model.candidate.stage == "promoted"]
    if promoted:
        base, found = read(settled)
        if mistakes := of_candidate(found, *promoted):
            return stack, mistakes
    trials: dict[str, RolloutCandidate] = {}
    for number, model in enumerate(stack.models):
        if not _is_there(model) or model.candidate.stage != "trial":
            continue
        found_trial = _trial(settled, base, number, model, read)
        if not isinstance(found_trial, RolloutCandidate):
            return stack, found_trial
        trials[model.name] = found_trial
    both = _beside(base, trials)
    room = [each for model in both.models for each in _room(model, both)]
    return both, _told(room)


def settled_values(values: Values, stack: Stack) -> dict[str, object]:
    """Returns what a stack states without candidates: promoted ones are the models.

    Args:
        values: What the stack states.
        stack: As it was read.
    """
    stated = _without_candidate(values)
    listed = stated.get(MODELS)
    if isinstance(listed, list):
        stated[MODELS] = [
            _without_candidate(entry) if isinstance(entry, Mapping) else entry for entry in listed
        ]
    for model in stack.models:
        if _is_there(model) and model.candidate.stage == "promoted":
            stated = with_settings(stated, _placed(model, model.candidate.settings))
    return stated


def _without_candidate(values: Values) -> dict[str, object]:
    return {
        key: json_value(value) if isinstance(value, str) else value
        for key, value in values.items()
        if key != _KEY
    }


def _is_there(model: Settings) -> bool:
    return bool(model.candidate.settings) and model.candidate.stage != "withdrawn"


def _placed(model: Settings, changes: Values) -> dict[str, object]:
    """Returns changes of one model by the keys under which the stack states them."""
    own = f"{MODELS}[{model.origin.entry}]." if model.co_located else ""
    return {
        f"{own}{key}" if key.partition(".")[0] in PER_MODEL else key: value
        for key, value in changes.items()
    }


def _trial(
    settled: Values, base: Stack, number: int, model: Settings, read: Read
) -> RolloutCandidate | tuple[Problem, ...]:
    """Returns a model's candidate, or its mistakes."""
    candidate = model.candidate
    promoted, found = read(with_settings(settled, _placed(model, candidate.settings)))
    if mistakes := of_candidate(found, model):
        return mistakes
    fixed = {**candidate.settings, **_replicas(candidate)}
    alone, found = read(with_settings(settled, _placed(model, fixed)))
    if mistakes := of_candidate(found, model):
        return mistakes
    deployed = base.models[number]
    if differences := [*_differences(deployed, promoted.models[number], model)]:
        return _told(differences)
    return _tried(deployed, alone, promoted, candidate, number)


def of_candidate(problems: tuple[Problem, ...], *models: Settings) -> tuple[Problem, ...]:
    """Returns mistakes of a stack with candidates' settings, with the keys to change.

    Args:
        problems: The mistakes.
        models: The models whose candidates they may be of.
    """
    return tuple(replace(each, key=_stated_as(each.key, models)) for each in problems)


def _stated_as(key: str, models: Sequence[Settings]) -> str:
    for model in models:
        own = f"{MODELS}[{model.origin.entry}]."
        if len(models) == 1 or key.startswith(own):
            plain = key.removeprefix(own)
            is_count = plain in _replicas(model.candidate)
            return _key(model, "replicas" if is_count else f"settings.{plain}")
    return key


def _key(model: Settings, key: str) -> str:
    """Returns under which key a setting of a model's candidate is stated."""
    return model.origin.key(f"{_KEY}.{key}")


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
    model: Settings, alone: Stack, promoted: Stack, candidate: CandidateSettings, number: int
) -> RolloutCandidate:
    has_own_pool = alone.pool != model.pool
    beside = CoLocated(
        model=model.model.facts.name,
        name=model.name,
        gpus=model.engine.tensor_parallel,
        lowest=model.replicas.min,
        highest=model.replicas.max,
        weights_read_seconds=model.weights_read_seconds,
        served=model.model.served,
        api_key_secret=model.engine.api_key_secret,
        longest_request_seconds=model.engine.longest_request_seconds,
        max_length=model.model.max_length,
    )
    settings = replace(
        alone.models[number],
        name=f"{model.name}-{CANDIDATE}",
        qualifier=f"{model.qualifier}-{CANDIDATE}" if model.qualifier else CANDIDATE,
        co_located=() if has_own_pool else (beside, *model.co_located),
        is_candidate=True,
    )
    return RolloutCandidate(
        changes=candidate.settings,
        stack=replace(alone, models=(settings,)),
        promoted=promoted,
        traffic_percent=candidate.traffic_percent,
        has_own_pool=has_own_pool,
    )


def _refusals(model: Settings, stack: Stack) -> Iterator[Conflict]:
    """Yields why a model can have no candidate, or none with these changes."""
    key = _key(model, "settings")
    if not stack.gateway.is_on:
        yield Conflict(
            key,
            "a candidate without a gateway: nothing would send it a share of the requests",
            "Set gateway.enabled to true, or gateway.mode to hybrid",
        )
    if model.engine.pipeline_parallel > 1:
        yield Conflict(
            key,
            f"a candidate with engine.pipelineParallel {model.engine.pipeline_parallel}",
            "Allowed with replicas on one node; try a replica that spans nodes as a separate stack",
        )
    name = f"{model.name}-{CANDIDATE}"
    if name in {other.name for other in model.co_located}:
        yield Conflict(
            key,
            f"its objects would have the name of another model's, {name}",
            "Allowed with another order of the models, or with a stack of its own for one of them",
        )
    of_pool = [each for each in model.candidate.settings if each.startswith("pool.")]
    if model.co_located and of_pool:
        yield Conflict(
            f"{key}.{of_pool[0]}",
            f"the pool is shared by {len(stack.models)} models",
            "Allowed: settings of model, engine and weights; for another GPU, try the model in a "
            "separate stack",
        )


def _differences(model: Settings, candidate: Settings, stated: Settings) -> Iterator[Conflict]:
    """Refuses a candidate that is the model, or that cannot answer what the model answers."""
    key = _key(stated, "settings")
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


def _room(model: Settings, stack: Stack) -> Iterator[Conflict]:
    """Refuses a candidate for which GPUs are missing; the stack has all of them."""
    if model.tried is None:
        return
    pool, candidate = stack.pool, model.tried.settings
    if not pool.can_grow:
        everyone = (*stack.models, *(trial.settings for trial in stack.trials))
        asked = [(each.engine.tensor_parallel, each.replicas.max) for each in everyone]
        if not fits_together(pool, asked):
            others = "" if not model.co_located else ", and the other models' replicas"
            yield Conflict(
                _key(model, "replicas"),
                f"{candidate.replicas.max} of {candidate.engine.tensor_parallel} GPUs next to "
                f"replicas.max {model.replicas.max} of {model.engine.tensor_parallel}{others}, on "
                f"{pool.node_count} nodes of {pool.gpus_per_node}",
                "Allowed: fewer, a lower replicas.max, or more nodes",
            )
    elif model.tried.has_own_pool:
        return  # a quota is for GPUs of one type
    elif pool.gpu_quota and (peak := stack.peak_gpus) > pool.gpu_quota:
        yield Conflict(
            _key(model, "replicas"),
            f"{candidate.replicas.max}: with the models' replicas they take {peak} GPUs in whole "
            f"nodes of {pool.gpus_per_node}, and pool.gpuQuota is {pool.gpu_quota}",
            f"Request a quota of {peak}, or lower candidate.replicas or replicas.max",
        )


def _beside(stack: Stack, trials: Mapping[str, RolloutCandidate]) -> Stack:
    """Returns a stack whose models know their candidates, and each other's."""
    models = tuple(
        replace(
            model,
            tried=trials.get(model.name),
            co_located=tuple(
                replace(other, tried=trials.get(other.name)) for other in model.co_located
            ),
        )
        for model in stack.models
    )
    return replace(stack, models=models)


def _told(conflicts: list[Conflict]) -> tuple[Problem, ...]:
    return tuple(Problem(each.key, each.found, each.allowed, each.price) for each in conflicts)
