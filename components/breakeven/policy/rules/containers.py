"""What rules have in common: walking over pods and containers, and reading their values."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from breakeven.policy.manifest import UNKNOWN, Container, Pod, Resource, Scope, Unknown, at, listed
from breakeven.policy.rule import Check, Violation

ContainerTest = Callable[[Container, Pod], Iterator[Violation]]
PodTest = Callable[[Pod], Iterator[Violation]]


@dataclass(frozen=True, slots=True)
class Stated:
    """Flags of a command line, or variables of an environment.

    Attributes:
        stated: Those that are known, with their values.
        is_complete: Whether all of them are known.
    """

    stated: Mapping[str, Any]
    is_complete: bool

    def __contains__(self, name: str) -> bool:
        return name in self.stated

    def lacks(self, name: str) -> bool:
        """Tells whether one is not there, and will not be."""
        return self.is_complete and name not in self.stated

    def value(self, name: str) -> Any:
        """Returns a value; None where it is not there, UNKNOWN where it may yet be."""
        return self.stated.get(name, None if self.is_complete else UNKNOWN)


def each_container(test: ContainerTest, *, roles: tuple[str, ...] = ()) -> Check:
    """Makes a check of a test of one container; of all roles where none is given."""

    def check(resource: Resource, _scope: Scope) -> Iterator[Violation]:
        for pod in resource.pods:
            for container in pod.containers():
                if not roles or container.role in roles:
                    yield from test(container, pod)

    return check


def each_pod(test: PodTest) -> Check:
    """Makes a check of a test of one pod."""

    def check(resource: Resource, _scope: Scope) -> Iterator[Violation]:
        for pod in resource.pods:
            yield from test(pod)

    return check


def is_one_of(value: Any, *allowed: object) -> bool:
    """Tells whether a value is one of those allowed, or not known yet."""
    return isinstance(value, Unknown) or any(
        value == item and isinstance(value, bool) == isinstance(item, bool) for item in allowed
    )


def is_true(value: Any) -> bool:
    """Tells whether a value is stated to be true, or not known yet."""
    return value is True or isinstance(value, Unknown)


def is_false(value: Any) -> bool:
    """Tells whether a value is stated to be false, or not known yet."""
    return value is False or isinstance(value, Unknown)


def is_off(value: Any) -> bool:
    """Tells whether a value is false, not set, or not known yet."""
    return value is None or is_false(value)


def shown(value: Any) -> str:
    """Returns a value for a message: what nobody set is "not set"."""
    if value is None:
        return "not set"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004  # a line of a table


def effective(container: Container, pod: Pod, *path: str) -> Any:
    """Returns a value of the security context: the container's own, else the pod's."""
    own = at(container.spec, "securityContext", *path)
    return own if own is not None else at(pod.spec, "securityContext", *path)


def environment(container: Container) -> Stated:
    """Returns the plain values of a container's variables; None for one from elsewhere."""
    found: dict[str, Any] = {}
    entries = container.spec.get("env")
    unknown = isinstance(entries, Unknown)
    for entry in listed(entries):
        name = at(entry, "name")
        unknown |= isinstance(name, Unknown)
        if isinstance(name, str):
            found[name] = at(entry, "value")
    return Stated(found, not unknown)


def words(container: Container) -> list[str]:
    """Returns command and arguments as single words, lines for a shell taken apart."""
    found: list[str] = []
    for key in ("command", "args"):
        for item in listed(container.spec.get(key)):
            if not isinstance(item, str):
                continue
            found += _split(item) if " " in item or "\n" in item else [item]
    return found


def flags(container: Container) -> Stated:
    """Returns the flags of a container's command line; "" for one without value."""
    found: dict[str, str] = {}
    line = words(container)
    for word, following in zip_longest(line, line[1:], fillvalue=""):
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            found[name.replace("_", "-")] = (
                value if equals else "" if following.startswith("-") else following
            )
    parts = (container.spec.get("command"), container.spec.get("args"))
    unknown = any(isinstance(item, Unknown) for part in parts for item in (part, *listed(part)))
    return Stated(found, not unknown)


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return line.split()
