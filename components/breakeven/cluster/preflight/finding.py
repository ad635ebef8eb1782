"""What a check says about a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check ended.

    FAILED stops a deployment. WARNING lets it go on with less than the stack states. UNKNOWN could
    not be looked at, because of missing rights or because it needs --probe.
    """

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer.

    Attributes:
        status: How it ended.
        found: What was found, in one line.
        fix: What to do, in one line; a command where there is one. Empty where nothing is to do.
    """

    status: Status
    found: str
    fix: str = ""


def passed(found: str) -> Finding:
    """Returns a finding that all is well."""
    return Finding(Status.PASSED, found)


def failed(found: str, fix: str) -> Finding:
    """Returns a finding that stops a deployment."""
    return Finding(Status.FAILED, found, fix)


def warning(found: str, fix: str) -> Finding:
    """Returns a finding with which a deployment goes on."""
    return Finding(Status.WARNING, found, fix)


def unknown(found: str, fix: str) -> Finding:
    """Returns a finding that something could not be looked at."""
    return Finding(Status.UNKNOWN, found, fix)
