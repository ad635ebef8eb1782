"""Techniques that a model, a GPU or another setting does not go together with."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.catalog.recipes import find_recipe
from breakeven.settings.fields import Conflict
from breakeven.settings.stack import Settings


def technique_conflicts(settings: Settings) -> Iterator[Conflict]:
    """Yields techniques that cannot work with the rest of a model's settings."""
    yield from _cache(settings)
    yield from _experts(settings)
    yield from _batch(settings)
    if settings.engine.speculation.is_on:
        yield from _speculation(settings)


def _cache(settings: Settings) -> Iterator[Conflict]:
    gpu = settings.pool.gpu
    if settings.engine.kv_cache_precision == "fp8" and gpu.fp8_tflops is None:
        yield Conflict(
            "engine.kvCachePrecision",
            f"fp8, which {gpu.name} does not support",
            "Allowed: auto; or a GPU with fp8 units, such as l4, l40s or h100",
            ("pool.gpu",),
        )


def _experts(settings: Settings) -> Iterator[Conflict]:
    facts = settings.model.facts
    if settings.engine.expert_parallel and not facts.is_mixture_of_experts:
        yield Conflict(
            "engine.expertParallel",
            f"true, but {facts.name} is a dense model without experts",
            "Set it to false; engine.tensorParallel divides its layers",
            ("model.name",),
        )


def _batch(settings: Settings) -> Iterator[Conflict]:
    most, replicas = settings.engine.max_requests, settings.replicas
    if most is not None and replicas.autoscaling and replicas.target_requests > most:
        yield Conflict(
            "engine.maxRequests",
            f"{most}, but the autoscaler's target is {replicas.target_requests} in flight per "
            "replica (replicas.targetRequests)",
            f"Allowed: {replicas.target_requests} or more; or a lower replicas.targetRequests",
            ("replicas.targetRequests", "replicas.autoscaling"),
        )


def _speculation(settings: Settings) -> Iterator[Conflict]:
    stated, facts = settings.engine.speculation, settings.model.facts
    if stated.method == "mtp" and not facts.draft_parameters:
        yield Conflict(
            "engine.speculation.method",
            f"mtp, but the checkpoint of {facts.name} has no heads for multi-token prediction",
            f"Allowed: {_others(settings)}",
            ("model.name",),
        )
    if stated.has_draft and settings.model.lora_adapters:
        yield Conflict(
            "engine.speculation.method",
            f"{stated.method} with model.loraAdapters: the draft does not know the adapters",
            "Allowed: off or ngram; or remove the adapters",
            ("model.loraAdapters",),
        )
    if stated.has_draft and settings.network.is_air_gapped and not settings.weights_are_there:
        yield Conflict(
            "engine.speculation.model",
            "a draft in an air-gapped stack, whose bundle contains only the model's weights",
            "Allowed with weights.claim or weights.image that has a folder named after its commit",
            ("weights.claim", "weights.image"),
        )
    if stated.method != "draft" or stated.model is None:
        return
    draft = stated.draft_facts
    if draft is None:
        yield Conflict(
            "engine.speculation.model",
            f"{stated.model.repository} is unknown",
            f"Run: breakeven model add {stated.model.repository}; or name a preset's repository",
        )
    elif draft.vocabulary != facts.vocabulary:
        yield Conflict(
            "engine.speculation.model",
            f"{draft.name} has a vocabulary of {draft.vocabulary:,} tokens and {facts.name} one of "
            f"{facts.vocabulary:,}: their tokenizers differ",
            "Allowed: a smaller model of the same family; or method ngram, which does not need a "
            "draft",
            ("model.name",),
        )
    elif draft.parameters >= facts.parameters:
        yield Conflict(
            "engine.speculation.model",
            f"{draft.name}, which is not smaller than {facts.name}",
            "Allowed: a model that is a small part of it, such as a tenth",
            ("model.name",),
        )


def _others(settings: Settings) -> str:
    recipe = find_recipe(settings.model.repository)
    stated = recipe.speculative_config if recipe else ""
    also = f"; the recipe of the model has {stated}" if stated else ""
    return f"off, ngram, draft, eagle or eagle3{also}"
