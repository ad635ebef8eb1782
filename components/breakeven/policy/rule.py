"""What a rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from breakeven.policy.manifest import Resource, Scope


class Level(StrEnum):
    """The effect of a violation.

    In the engine, a remediating rule fills in fields that a manifest omits. It does not overwrite a
    field that is
    set: for such a field, and for YAML, it is mandatory.
    """

    MANDATORY = "mandatory"
    ADVISORY = "advisory"
    REMEDIATING = "remediating"


class Pack(StrEnum):
    """The pack of a rule: for every stack, or only for stacks in an air gap."""

    HARDENING = "hardening"
    AIRGAP = "airgap"


@dataclass(frozen=True, slots=True)
class Violation:
    """Where a manifest violates a rule, and what was found there."""

    path: str
    found: str


Find: TypeAlias = Callable[[Resource, Scope], Iterator[Violation]]
"""Checks one resource among all that are checked together; never raises."""

Concern: TypeAlias = Callable[[Resource, Scope], bool]
"""Tells whether a rule applies to a resource."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a rule looks for, and in which resources.

    Attributes:
        find: Yields where a resource violates the rule.
        concerns: Tells whether the rule applies to a resource. A rule that applies to no resource
            is not applicable,
        instead of passed.
    """

    find: Find
    concerns: Concern

    def __call__(self, resource: Resource, scope: Scope) -> Iterator[Violation]:
        """Yields where a resource violates the rule."""
        if self.concerns(resource, scope):
            yield from self.find(resource, scope)


def about(concern: Concern) -> Callable[[Find], Check]:
    """Turns a function into a check of the resources that it applies to."""
    return lambda find: Check(find, concern)


Remediation = Callable[[Mapping[str, Any]], dict[str, Any] | None]
"""Returns a manifest with omitted fields filled in, or None if there were none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule.

    Attributes:
        id: Its name in findings and waivers.
        what: What must hold.
        do: How to fix a violation.
        theme: What it protects; a key of data/frameworks.json.
        check: Checks one resource.
        level: The effect of a violation.
        pack: The pack that contains it.
        needs_all: Whether it needs all resources at once, and so runs after the last one.
        controls: Identifiers of technical controls, by catalog: PSS (Pod Security Standards), CIS
            (Kubernetes
        Benchmark 1.12), NSA (Kubescape's NSA framework), Kubescape (its other controls), Checkov.
        remediate: Fills in omitted fields, for rules of that level.
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
