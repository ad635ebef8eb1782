"""Runs the checks that a stack needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from breakeven.cluster.errors import ForbiddenError, RefusedError
from breakeven.cluster.preflight.check import Check, Probe
from breakeven.cluster.preflight.finding import Finding, Status, unknown
from breakeven.cluster.preflight.registry import CHECKS


@dataclass(frozen=True, slots=True)
class Result:
    """What a check said.

    Attributes:
        check: Its id.
        findings: At least one.
    """

    check: str
    findings: tuple[Finding, ...]


def run_checks(probe: Probe, checks: Iterable[Check] = CHECKS) -> Iterator[Result]:
    """Yields the result of each check that the stack needs, as soon as it is known.

    Args:
        probe: What they may ask.
        checks: Which of them; all by default.

    Raises:
        UnreachableError: The API server stopped answering; what was yielded before stays true.
        UnauthorizedError: It does not accept the credentials any more.
    """
    for check in checks:
        if check.applies(probe.needs):
            yield Result(check.id, tuple(_findings(check, probe)))


def _findings(check: Check, probe: Probe) -> Iterator[Finding]:
    if check.starts_pods and not probe.may_probe:
        yield unknown(f"not checked: {check.asks}", "run again with --probe, which starts pods")
        return
    try:
        yield from check.run(probe)
    except ForbiddenError as error:
        yield unknown(error.detail, "run preflight as a user with read permission")
    except RefusedError as error:
        yield unknown(str(error), "check the API server with kubectl get --raw /")


def worst(results: tuple[Result, ...]) -> Status:
    """Returns the worst status of several results."""
    order = (Status.PASSED, Status.UNKNOWN, Status.WARNING, Status.FAILED)
    found = {finding.status for result in results for finding in result.findings}
    return max(found or {Status.PASSED}, key=order.index)
