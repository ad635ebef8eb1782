"""What the kit's stacks do not do as checkers of others want, and why."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.third_party.checkers import Finding

FILE = Path(__file__).with_name("exceptions.yaml")


@dataclass(frozen=True, slots=True)
class Exempt:
    """An exception.

    Attributes:
        checker: Whose check.
        check: Its identifier.
        objects: KIND/NAME of the objects, with * for what differs.
        reason: Why it is right as it is.
    """

    checker: str
    check: str
    objects: tuple[str, ...]
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is one of those that were thought about."""
        return (finding.checker, finding.check) == (self.checker, self.check) and any(
            fnmatch.fnmatchcase(finding.resource, name) for name in self.objects
        )


def exceptions() -> tuple[Exempt, ...]:
    """Reads the file of exceptions."""
    entries = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(
        Exempt(entry["checker"], entry["check"], tuple(entry["objects"]), entry["reason"])
        for entry in entries
    )


def without_reason(findings: Iterable[Finding], known: Iterable[Exempt]) -> list[Finding]:
    """Returns the findings that no exception covers."""
    listed = list(known)
    return sorted({item for item in findings if not any(one.covers(item) for one in listed)})


def unused(findings: Iterable[Finding], known: Iterable[Exempt]) -> list[str]:
    """Returns the exceptions, and objects of them, that no finding needs any longer."""
    found = list(findings)
    return [
        f"{one.checker} {one.check} {name}"
        for one in known
        for name in one.objects
        if not any(Exempt(one.checker, one.check, (name,), "").covers(item) for item in found)
    ]
