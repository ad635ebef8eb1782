"""Reads the further models of a stack, and refuses those that can't share its pool.

A further model is read as a stack of its own, whose file has the entry's settings in the place of
the first model's, so that each model is held to the same rules.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from breakeven.settings.pool import check_quota
from breakeven.settings.reader import ConfigReader, EntryReader
from breakeven.settings.stack import FIRST_MODEL, PoolShare, Settings

KEY = "additionalModels"

NEEDED = ("model", "modelRepository", "modelRevision", "tokensPerDay")
"""What an entry has to state: a default would be another model, or a guess."""

OWN = (
    *NEEDED,
    "previousModelRevision",
    "precision",
    "maxModelLength",
    "loraAdapters",
    "loraMaxRank",
    "weightsClaim",
    "weightsImage",
    "tensorParallel",
    "autoscaling",
    "minReplicas",
    "maxReplicas",
    "targetRequestsPerReplica",
    "targetWaitingPerReplica",
    "scheduledReplicas",
    "inputTokensPerRequest",
    "outputTokensPerRequest",
    "cachedInputPercent",
    "trafficShape",
    "burstFactor",
    "measuredOutputTokensPerSecond",
    "apiInUse",
    "hostedApis",
)
"""Settings of one model: left out of an entry, they have their default, not the first model's."""

INHERITED = (
    "gpuMemoryUtilization",
    "longestRequestSeconds",
    "hubTokenSecret",
    "scaleDownSeconds",
    "timeToFirstTokenSeconds",
    "interTokenLatencySeconds",
)
"""Settings that an entry may state; left out, they are the stack's."""


def entry_readers(
    reader: ConfigReader, values: Mapping[str, str], defaults: Mapping[str, str]
) -> Iterator[EntryReader]:
    """Reads the list of further models; yields a reader for each that can be read.

    Args:
        reader: Of the stack.
        values: What the stack states, by key without prefix.
        defaults: The defaults of Pulumi.yaml.
    """
    shared = {key: value for key, value in values.items() if key not in (*OWN, KEY)}
    for number, entry in enumerate(reader.entries(KEY), start=1):
        name = entry.get("model") if isinstance(entry, dict) else None
        label = name if isinstance(name, str) else f"entry {number}"
        if _is_usable(reader, label, entry):
            stated = {key: _wire(value) for key, value in entry.items()}
            yield EntryReader(reader, KEY, label, {**shared, **stated}, defaults)


def _is_usable(reader: ConfigReader, label: str, entry: Any) -> bool:
    if not isinstance(entry, dict):
        reader.reject(KEY, f"{label} is {json.dumps(entry)}", "Allowed: a mapping of settings")
        return False
    unknown = [key for key in entry if key not in (*OWN, *INHERITED)]
    for key in unknown:
        near = difflib.get_close_matches(str(key), (*OWN, *INHERITED), n=1)
        hint = (
            f"closest: {near[0]}" if near else "docs/several-models.md lists what a model may have"
        )
        found = "the same for all models of a stack" if key in reader.keys else "no such setting"
        reader.reject(KEY, f"{label}: {key}: {found}", f"Remove it there; {hint}")
    missing = [key for key in NEEDED if key not in entry]
    if missing:
        reader.reject(KEY, f"{label}: {', '.join(missing)}: not stated", "Needed for each model")
    return not unknown and not missing


def named(settings: Settings) -> str:
    """Returns the name of a further model's objects; a dot is allowed in no name of a Service."""
    return f"{FIRST_MODEL}-{settings.model.facts.name.replace('.', '-')}"


def shares_beside(models: Sequence[Settings]) -> Iterator[tuple[PoolShare, ...]]:
    """Yields for each model of a stack what all others take of the pool."""
    for number in range(len(models)):
        yield tuple(other.share for place, other in enumerate(models) if place != number)


def check_models(settings: Settings, reader: ConfigReader) -> None:
    """Rejects models that can't be told apart, and more replicas than the pool holds."""
    if not settings.others:
        return
    names = [model.model.facts.name for model in settings.models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice and reader.usable("model"):
        reader.reject(
            KEY,
            f"{', '.join(twice)} is served twice",
            "Allowed: each model once, because requests name it; raise its maxReplicas instead",
        )
    if settings.engine.pipeline_parallel > 1 and reader.usable("pipelineParallel"):
        reader.reject(
            KEY,
            f"further models beside pipelineParallel {settings.engine.pipeline_parallel}",
            "Allowed with replicas of one node; give a model that spans several a stack of its own",
        )
    if settings.gateway.is_hybrid and reader.usable("mode"):
        reader.reject(
            KEY,
            "further models in mode hybrid",
            "Allowed in mode self-host; the gateway knows one model",
        )
    if not reader.usable(KEY):
        return
    if settings.shares_nodes:
        _check_room(settings, reader)
    else:
        check_quota(settings, reader, "maxReplicas of all models take")


def _check_room(settings: Settings, reader: ConfigReader) -> None:
    pool = settings.pool
    if settings.holds() or not reader.usable(
        "maxReplicas", "tensorParallel", "nodeCount", "gpusPerNode"
    ):
        return
    shares = [model.share for model in settings.models]
    taken, there = sum(s.gpus * s.highest for s in shares), pool.node_count * pool.gpus_per_node
    largest = max(share.gpus for share in shares)
    asked = ", ".join(
        f"{model.model.facts.name} {model.replicas.max} x {model.engine.tensor_parallel}"
        for model in settings.models
    )
    if taken > there:
        found = f"all replicas together take {taken} GPUs ({asked})"
        reader.reject(
            KEY,
            f"{found}, but nodeCount {pool.node_count} x gpusPerNode {pool.gpus_per_node} are "
            f"{there}",
            "Allowed: lower maxReplicas or tensorParallel of a model, or more nodes",
        )
    else:
        reader.reject(
            KEY,
            f"it is not certain that a replica of {largest} GPUs finds a node with as many free "
            f"({asked}; {pool.node_count} nodes of {pool.gpus_per_node})",
            "Allowed: fewer replicas, a node more, or the same tensorParallel for all models: "
            "Kubernetes spreads small replicas, and moves none to make room",
        )


def _wire(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
