"""What a rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from breakeven.policy.manifest import Resource, Scope


class Level(StrEnum):
    """What a violation does.

    A remediating rule fills in what a manifest leaves out, where a pack runs in the engine; what a
    manifest states it does not overwrite, so there, and over YAML, it is mandatory.
    """

    MANDATORY = "mandatory"
    ADVISORY = "advisory"
    REMEDIATING = "remediating"


class Pack(StrEnum):
    """The pack that a rule is part of: for every stack, or for those in an air gap as well."""

    HARDENING = "hardening"
    AIRGAP = "airgap"


@dataclass(frozen=True, slots=True)
class Violation:
    """Where a manifest breaks a rule, and what was found there."""

    path: str
    found: str


Find: TypeAlias = Callable[[Resource, Scope], Iterator[Violation]]
"""Looks at one resource among all that are judged together; never raises."""

Concern: TypeAlias = Callable[[Resource, Scope], bool]
"""Tells whether there is anything in a resource that a rule is about."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a rule looks for, and in which resources.

    Attributes:
        find: Yields where a resource breaks the rule.
        concerns: Tells whether the rule is about a resource at all. A rule that is about none of
            them judged nothing, and is not kept but not applicable.
    """

    find: Find
    concerns: Concern

    def __call__(self, resource: Resource, scope: Scope) -> Iterator[Violation]:
        """Yields where a resource breaks the rule."""
        if self.concerns(resource, scope):
            yield from self.find(resource, scope)


def about(concern: Concern) -> Callable[[Find], Check]:
    """Makes a check of a function, by the resources that it is about."""
    return lambda find: Check(find, concern)


Remediation = Callable[[Mapping[str, Any]], dict[str, Any] | None]
"""Returns a manifest with what was left out, or None where nothing was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule.

    Attributes:
        id: Its name in findings and waivers.
        what: What must hold.
        do: What to do where it does not.
        theme: What it protects; a key of data/frameworks.json.
        check: Looks at one resource.
        level: What a violation does.
        pack: Of which pack it is.
        needs_all: Whether it must see all resources at once, and so is judged after the last.
        controls: Identifiers in catalogues of technical controls, by catalogue: PSS (Pod Security
            Standards), CIS (Kubernetes Benchmark 1.12), NSA (Kubescape's framework of that name),
            Kubescape (its other controls), Checkov.
        remediate: Fills in what was left out, for rules of that level.
    """

    id: str
    what: str
    do: str
    theme: str
    check: Check
    level: Level = Level.MANDATORY
    pack: Pack = Pack.HARDENING
    needs_all: bool = False
    controls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    remediate: Remediation | None = None
