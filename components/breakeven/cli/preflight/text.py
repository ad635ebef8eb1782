"""The text output of `breakeven preflight`."""

from __future__ import annotations

from collections import Counter

from breakeven.cluster.preflight.finding import Status
from breakeven.cluster.preflight.run import Result

_WORDS = {
    Status.PASSED: "ok",
    Status.WARNING: "warning",
    Status.FAILED: "FAILED",
    Status.UNKNOWN: "unknown",
}
_CHECK, _STATUS = 21, 8


def lines(result: Result) -> list[str]:
    """Returns a line for each finding, followed by its fix, if any."""
    told = []
    for finding in result.findings:
        told.append(f"{result.check:<{_CHECK}}{_WORDS[finding.status]:<{_STATUS}} {finding.found}")
        if finding.fix:
            told.append(f"{'':<{_CHECK}}{'fix:':<{_STATUS}} {finding.fix}")
    return told


def summary(stack: str, context: str, results: tuple[Result, ...]) -> str:
    """Returns the last line: the number of findings of each kind."""
    counted = Counter(finding.status for result in results for finding in result.findings)
    told = ", ".join(
        f"{counted[status]} {_WORDS[status].lower()}" for status in Status if counted[status]
    )
    verdict = "is not ready" if counted[Status.FAILED] else "is ready"
    return f"\nContext {context} {verdict} for stack {stack}: {told}."
