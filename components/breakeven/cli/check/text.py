"""The verdict of the rules as text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from breakeven.policy.verdict import Finding, Verdict
from breakeven.reports.text import wrapped


def as_text(verdict: Verdict, subject: str) -> str:
    """Returns what was found: broken rules, advice, waivers, and what to do about each rule.

    Args:
        verdict: Of the rules.
        subject: What was judged.
    """
    parts = [wrapped([f"{len(verdict.rules)} rules over {verdict.resources} manifests: {subject}"])]
    for title, findings in (
        ("Broken", verdict.blocking),
        ("Advice", verdict.advisory),
        ("Waived", verdict.waived),
    ):
        if findings:
            parts.append(_list(title, findings))
    to_do = {finding.rule.id: finding.rule.do for finding in verdict.blocking + verdict.advisory}
    if to_do:
        parts.append("\nWhat to do?\n" + wrapped(f"- {rule}: {do}" for rule, do in to_do.items()))
    parts.append(
        f"\n{len(verdict.blocking)} broken, {len(verdict.advisory)} advice, "
        f"{len(verdict.waived)} waived.\n"
    )
    return "".join(parts).rstrip("\n")


def _list(title: str, findings: Sequence[Finding]) -> str:
    """Returns findings by rule; a path stays in one line, so that it can be copied."""
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
