"""What rules have in common: walking over pods and containers, and reading their values."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from breakeven.policy.manifest import UNKNOWN, Container, Pod, Resource, Scope, Unknown, at, listed
from breakeven.policy.rule import Check, Concern, Violation

_SHORTEST_ABBREVIATION = 3
"""Letters from which on an abbreviated flag is taken for one that is dangerous."""

_WHOLE_FLAGS = ("--reasoning-parser",)
"""Flags of vLLM that are the beginning of a dangerous one; argparse takes them for themselves."""

_CONTINUED = re.compile(r"\\\r?\n")
"""What a shell drops: a backslash and the end of the line behind it."""

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

    def abbreviates(self, name: str) -> bool:
        """Tells whether a flag is there, whole or as argparse takes it: by its first letters."""
        shortest = len("--") + _SHORTEST_ABBREVIATION
        return any(
            len(flag) >= shortest and name.startswith(flag) and flag not in _WHOLE_FLAGS
            for flag in self.stated
        )

    def lacks(self, name: str) -> bool:
        """Tells whether one is not there, and will not be."""
        return self.is_complete and name not in self.stated

    def value(self, name: str) -> Any:
        """Returns a value; None where it is not there, UNKNOWN where it may yet be."""
        return self.stated.get(name, None if self.is_complete else UNKNOWN)


def has_pods(resource: Resource, _scope: Scope) -> bool:
    """Tells whether a resource is or makes pods."""
    return bool(resource.pods)


def is_any(_resource: Resource, _scope: Scope) -> bool:
    """Tells that a rule is about every resource."""
    return True


def is_kind(*kinds: str) -> Concern:
    """Returns what tells whether a resource is of one of some kinds."""
    return lambda resource, _scope: resource.kind in kinds


def each_container(
    test: ContainerTest,
    *,
    roles: tuple[str, ...] = (),
    only: Callable[[Container], bool] = lambda _container: True,
) -> Check:
    """Makes a check of a test of one container.

    Args:
        test: Looks at one container.
        roles: Of which roles; of all where none is given.
        only: Tells whether the test is about a container.
    """

    def chosen(resource: Resource) -> Iterator[tuple[Container, Pod]]:
        for pod in resource.pods:
            for container in pod.containers():
                if (not roles or container.role in roles) and only(container):
                    yield container, pod

    def check(resource: Resource, _scope: Scope) -> Iterator[Violation]:
        for container, pod in chosen(resource):
            yield from test(container, pod)

    return Check(check, lambda resource, _scope: any(True for _ in chosen(resource)))


def each_pod(test: PodTest) -> Check:
    """Makes a check of a test of one pod."""

    def check(resource: Resource, _scope: Scope) -> Iterator[Violation]:
        for pod in resource.pods:
            yield from test(pod)

    return Check(check, has_pods)


def all_of(*checks: Check) -> Check:
    """Makes one check of several."""

    def check(resource: Resource, scope: Scope) -> Iterator[Violation]:
        for each in checks:
            yield from each(resource, scope)

    return Check(
        check, lambda resource, scope: any(each.concerns(resource, scope) for each in checks)
    )


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


def of_pod(pod: Pod, *path: str) -> Iterator[tuple[str, Any]]:
    """Yields a value of the pod's own security context, which the standard judges as well."""
    value = at(pod.spec, "securityContext", *path)
    if value is not None:
        where = f"{pod.path}.securityContext" if pod.path else "securityContext"
        yield f"{where}.{'.'.join(path)}", value


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
    """Returns the plain values of a container's variables; None for one from elsewhere.

    Where all variables of a ConfigMap or Secret are taken that is not at hand, some are unknown.
    """
    found: dict[str, Any] = {}
    entries = container.spec.get("env")
    unknown = isinstance(entries, Unknown) or bool(container.spec.get("envFrom"))
    for entry in listed(entries):
        name = at(entry, "name")
        unknown |= isinstance(name, Unknown)
        if isinstance(name, str):
            elsewhere = at(entry, "valueFrom", "configMapKeyRef") is not None
            found[name] = UNKNOWN if elsewhere else at(entry, "value")
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
    """Returns the flags of a container's command line; "" for one without value.

    A word that a shell or Kubernetes fills in may be any flag, so some are unknown then.
    """
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
    return Stated(found, not unknown and not list(filled_in(container)))


def filled_in(container: Container) -> Iterator[str]:
    """Yields words of a command line that a shell or Kubernetes fills in.

    What Kubernetes fills in stays one word, so a value behind "=" stays a value. A shell makes
    several words of a variable, unless it is quoted.
    """
    line = words(container)
    shell = any(_SHELL.fullmatch(word) for word in line[:1]) and any(
        _SHELL_COMMAND.fullmatch(word) for word in line[1:3]
    )
    for before, word in zip(["", *line], line, strict=False):
        whole = word.startswith("$(") and before not in _TAKE_A_VALUE
        if whole or (shell and _EXPANDED.search(word)):
            yield word


_TAKE_A_VALUE = ("--api-key", "--host", "--model", "--port", "--served-model-name")
"""Flags behind which a word is their value, whatever it is; behind a switch it may be a flag."""


_SHELL = re.compile(r"(\S*/)?(ba|da|a|z|k)?sh")
_SHELL_COMMAND = re.compile(r"-[a-z]*c[a-z]*")
_EXPANDED = re.compile(r"\$[\w({@*]|`")


def _split(line: str) -> list[str]:
    line = _CONTINUED.sub("", line)
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return line.split()
