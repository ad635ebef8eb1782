"""The verdict of the rules as text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from breakeven.policy.verdict import Finding, Verdict
from breakeven.reports.formatting import counted
from breakeven.reports.text import wrapped


def as_text(verdict: Verdict, subject: str) -> str:
    """Returns the findings: violations, warnings, waivers, and the fix for each rule.

    Args:
        verdict: Of the rules.
        subject: What was checked.
    """
    parts = [
        wrapped([f"Checked {len(verdict.rules)} rules in {verdict.resources} manifests: {subject}"])
    ]
    for title, findings in (
        ("Violations", verdict.blocking),
        ("Warnings", verdict.advisory),
        ("Waived", verdict.waived),
    ):
        if findings:
            parts.append(_list(title, findings))
    to_do = {finding.rule.id: finding.rule.do for finding in verdict.blocking + verdict.advisory}
    if to_do:
        parts.append("\nHow to fix\n" + wrapped(f"- {rule}: {do}" for rule, do in to_do.items()))
    counts = [
        counted(len(verdict.blocking), "violation"),
        counted(len(verdict.advisory), "warning") if verdict.advisory else "",
        f"{len(verdict.waived):,} waived" if verdict.waived else "",
    ]
    parts.append(f"\n{', '.join(filter(None, counts))}.\n")
    return "".join(parts).rstrip("\n")


def _list(title: str, findings: Sequence[Finding]) -> str:
    """Returns findings by rule; a path stays on one line, so that it can be copied."""
    lines = []
    for rule, group in groupby(findings, lambda finding: finding.rule.id):
        lines.append(rule)
        for finding in group:
            lines.append(f"  {finding.resource}")
            lines.append(f"    {finding.violation.path}: {_found(finding)}")
    return f"\n{title}\n" + wrapped(lines)


def _found(finding: Finding) -> str:
    waiver, found = finding.waiver, finding.violation.found
    if waiver is None:
        return found
    state = "until" if finding.is_waived else "whose waiver expired on"
    return f"{found} ({waiver.owner}, {state} {waiver.expires.isoformat()})"
