"""From what a stack states to its settings and its mistakes: a pure function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from breakeven.errors import Problem, SettingsError
from breakeven.settings.access.overflow import overflow_api_of
from breakeven.settings.api import ApiSettings
from breakeven.settings.checks.combinations import conflicts_of
from breakeven.settings.checks.several_models import conflicts_of_models, conflicts_of_token
from breakeven.settings.costs.staffing import StaffingSettings
from breakeven.settings.engine import EngineSettings
from breakeven.settings.fields import Conflict, Group, json_value, shown
from breakeven.settings.files import MODELS, PER_MODEL
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.mistakes.findings import keys_of, unknown, validated
from breakeven.settings.mistakes.old_keys import OLD_KEYS
from breakeven.settings.model import ModelSettings
from breakeven.settings.monitoring import MonitoringSettings
from breakeven.settings.network import NetworkSettings
from breakeven.settings.policy import PolicySettings
from breakeven.settings.pool import PoolSettings
from breakeven.settings.pricing import PricingSettings
from breakeven.settings.replicas import ReplicaSettings
from breakeven.settings.rollouts.candidate import CandidateSettings
from breakeven.settings.rollouts.trial import with_candidates
from breakeven.settings.stack import (
    PLAIN_NAME,
    CoLocated,
    Origin,
    Settings,
    Stack,
)
from breakeven.settings.traffic import TrafficSettings
from breakeven.settings.weights import WeightsSettings

GROUPS: Mapping[str, type[Group]] = {
    "model": ModelSettings,
    "engine": EngineSettings,
    "weights": WeightsSettings,
    "pool": PoolSettings,
    "replicas": ReplicaSettings,
    "gateway": GatewaySettings,
    "candidate": CandidateSettings,
    "network": NetworkSettings,
    "policy": PolicySettings,
    "monitoring": MonitoringSettings,
    "traffic": TrafficSettings,
    "api": ApiSettings,
    "pricing": PricingSettings,
    "staffing": StaffingSettings,
}
"""All groups by key, in the order of the reference."""

NEEDED = ("model.name", "traffic.tokensPerDay")
"""What each of several models has to state: a default would be another model, or a guess."""

Values = Mapping[str, object]


def parse(values: Values) -> tuple[Stack, tuple[Problem, ...]]:
    """Reads what a stack states.

    Args:
        values: What the stack states: groups by key without prefix, each a mapping or its JSON.

    Returns:
        The stack, and every mistake found. Where a value cannot be used its default stands in the
        stack, so that a caller may check more before it raises.
    """
    return with_candidates(values, *_parsed(values), _parsed)


def _parsed(values: Values) -> tuple[Stack, tuple[Problem, ...]]:
    """Reads a stack without its candidate; arguments and result as of `parse`."""
    groups, problems = _groups(values)
    entries, wrong = _entries(values, groups)
    problems += wrong
    shared: dict[str, Any] = {}
    for key in GROUPS:
        if key not in PER_MODEL:
            shared[key], mistakes = _read(key, groups.get(key, {}), Origin())
            problems += mistakes
    listed: list[dict[str, Any]] = []
    for origin, entry in entries:
        own: dict[str, Any] = {"origin": origin}
        for key in PER_MODEL:
            own[key], mistakes = _read(key, _merged(groups, entry, key), origin)
            problems += [each for each in mistakes if each not in problems]
        listed.append(own)
    _take_from_registry(shared["network"], [shared, *listed])
    stack = Stack(models=tuple(_models(shared, listed)), **shared)
    found = tuple(problems)
    for model in stack.models:
        own_conflicts = [each for key in GROUPS for each in getattr(model, key).conflicts()]
        found = told(found, model, [*own_conflicts, *conflicts_of(model)])
    for model in stack.models:
        found = told(found, model, conflicts_of_token(model, stack))
    found = told(found, stack, conflicts_of_models(stack))
    return stack, in_order(found)


def raise_problems(stack: str, problems: tuple[Problem, ...]) -> None:
    """Raises all mistakes of a stack as one error.

    Raises:
        SettingsError: There is at least one.
    """
    if problems:
        raise SettingsError(stack, in_order(problems))


def told(
    problems: tuple[Problem, ...], settings: Settings | Stack, conflicts: Iterable[Conflict]
) -> tuple[Problem, ...]:
    """Adds conflicts of a model or of all; one that follows from what is reported says nothing."""
    for conflict in conflicts:
        key, *others = settings.keys(conflict.key)
        reads = (key, *others, *(key for each in conflict.needs for key in settings.keys(each)))
        reported = [f"{problem.key}." for problem in problems]
        if not any(each.startswith(f"{read}.") for each in reported for read in reads):
            problem = Problem(key, conflict.found, conflict.allowed, conflict.price)
            problems = (*problems, problem)
    return problems


def _groups(values: Values) -> tuple[dict[str, Values], list[Problem]]:
    groups: dict[str, Values] = {}
    problems = []
    for key, value in values.items():
        stated = json_value(value) if isinstance(value, str) else value
        if key in GROUPS and isinstance(stated, Mapping):
            groups[key] = stated
        elif key in OLD_KEYS and key != MODELS:
            problems.append(Problem(key, f"is now {OLD_KEYS[key]}", _renamed(OLD_KEYS[key])))
        elif key in GROUPS:
            allowed = "Allowed: a mapping of settings; docs/settings.md lists them"
            problems.append(Problem(key, f'found "{shown(value)}"', allowed))
        elif key != MODELS:
            problems.append(Problem(key, *unknown(key, _known())))
    return groups, problems


def _known() -> list[str]:
    return [*GROUPS, MODELS, *(key for name in GROUPS for key, _ in keys_of(GROUPS[name], name))]


def _renamed(new: str) -> str:
    group, _, key = new.partition(".")
    where = f"Write {key} in breakeven:{group}" if key else f"Write breakeven:{group}"
    return f"{where}; docs/migration.md lists all new keys"


def _entries(
    values: Values, groups: Mapping[str, Values]
) -> tuple[list[tuple[Origin, Mapping[str, Values]]], list[Problem]]:
    """Returns the models: the entries of the list, or one of the top-level groups alone."""
    stated = values.get(MODELS)
    listed = json_value(stated) if isinstance(stated, str) else stated
    alone: list[tuple[Origin, Mapping[str, Values]]] = [(Origin(), {})]
    if stated is None or listed == []:
        return alone, []
    if not isinstance(listed, list):
        allowed = "Allowed: a list of models, each a mapping of groups; leave it out for one model"
        return alone, [Problem(MODELS, f'found "{shown(stated)}"', allowed)]
    entries: list[tuple[Origin, Mapping[str, Values]]] = []
    problems: list[Problem] = []
    for number, entry in enumerate(listed):
        usable, mistakes = _entry(f"{MODELS}[{number}]", entry)
        problems += mistakes
        if len(listed) > 1 and not mistakes:
            problems += _missing(f"{MODELS}[{number}]", usable)
        above = {
            f"{name}.{key}"
            for name in PER_MODEL
            for key in groups.get(name, {})
            if key not in usable.get(name, {})
        }
        entries.append((Origin(entry=number, inherited=frozenset(above)), usable))
    return entries, problems


def _entry(key: str, entry: object) -> tuple[dict[str, Values], list[Problem]]:
    if not isinstance(entry, Mapping):
        allowed = f"Allowed: a mapping of {', '.join(PER_MODEL)}"
        return {}, [Problem(key, f'found "{shown(entry)}"', allowed)]
    groups: dict[str, Values] = {}
    problems = []
    for name, value in entry.items():
        stated = json_value(value) if isinstance(value, str) else value
        if name in PER_MODEL and isinstance(stated, Mapping):
            groups[name] = stated
        elif name in PER_MODEL:
            found, allowed = f'found "{shown(stated)}"', "Allowed: a mapping of settings"
            problems.append(Problem(f"{key}.{name}", found, allowed))
        elif name in GROUPS:
            found, allowed = "the same for all models of a stack", f"Move it to breakeven:{name}"
            problems.append(Problem(f"{key}.{name}", found, allowed))
        elif name in OLD_KEYS:
            found, allowed = f"is now {OLD_KEYS[name]}", _renamed(OLD_KEYS[name])
            problems.append(Problem(f"{key}.{name}", found, allowed))
        else:
            problems.append(Problem(f"{key}.{name}", *unknown(str(name), PER_MODEL)))
    return groups, problems


def _missing(key: str, groups: Mapping[str, Values]) -> list[Problem]:
    absent = [each for each in NEEDED if each.partition(".")[2] not in _in(groups, each)]
    return [Problem(f"{key}.{each}", "not stated", "Needed for each model") for each in absent]


def _in(groups: Mapping[str, Values], key: str) -> Values:
    return groups.get(key.partition(".")[0], {})


def _merged(groups: Mapping[str, Values], entry: Mapping[str, Values], key: str) -> Values:
    return {**groups.get(key, {}), **entry.get(key, {})}


def _read(key: str, stated: Values, origin: Origin) -> tuple[Group, list[Problem]]:
    group, mistakes = validated(GROUPS[key], stated)
    return group, [
        Problem(origin.key(".".join((key, *path))), found, allowed)
        for path, (found, allowed) in mistakes.items()
    ]


def _take_from_registry(network: NetworkSettings, read: Iterable[dict[str, Any]]) -> None:
    """Takes every image from the stack's registry, where it has one."""
    for groups in read:
        for key, names in _IMAGES.items():
            if key in groups:
                images = {name: getattr(groups[key], name) for name in names}
                taken = {name: image and network.image(image) for name, image in images.items()}
                groups[key] = groups[key].model_copy(update=taken)


_IMAGES = {
    "engine": ("image",),
    "weights": ("image",),
    "gateway": ("image", "limits_image", "store_image"),
}


def _models(shared: Mapping[str, Any], listed: Sequence[Mapping[str, Any]]) -> Iterator[Settings]:
    """Yields the models with their names and what the others take of the pool."""
    names = [own["model"].facts.name for own in listed]
    # The first has the plain names, so that a stack may list more models without renaming it.
    qualifiers = ["", *names[1:]]
    everyone = [
        CoLocated(
            model=name,
            name=_object_name(qualifier),
            gpus=own["engine"].tensor_parallel,
            lowest=own["replicas"].min,
            highest=own["replicas"].max,
            weights_read_seconds=own["weights"].seconds_to_read(own["model"].repository_bytes),
            served=own["model"].served,
            api_key_secret=own["engine"].api_key_secret,
            longest_request_seconds=own["engine"].longest_request_seconds,
            max_length=own["model"].max_length,
            overflow_api=overflow_api_of(
                shared["gateway"], shared["network"], own["model"], own["api"]
            ),
        )
        for name, qualifier, own in zip(names, qualifiers, listed, strict=True)
    ]
    for number, (qualifier, own) in enumerate(zip(qualifiers, listed, strict=True)):
        yield Settings(
            **own,
            **shared,
            name=everyone[number].name,
            qualifier=qualifier,
            co_located=(*everyone[:number], *everyone[number + 1 :]),
        )


def _object_name(qualifier: str) -> str:
    """Returns the name of a model's objects; a dot is allowed in no name of a Service."""
    return f"{PLAIN_NAME}-{qualifier.replace('.', '-')}" if qualifier else PLAIN_NAME


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Returns problems in the order of the reference; unknown keys and models come first."""
    keys = [key for name, group in GROUPS.items() for key, _ in keys_of(group, name)]
    order = {key: position for position, key in enumerate(keys)}
    return tuple(sorted(problems, key=lambda problem: order.get(problem.key, -1)))
