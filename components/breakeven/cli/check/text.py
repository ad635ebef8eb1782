"""The verdict of the rules as text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from breakeven.policy.verdict import Finding, Verdict
from breakeven.reports.text import drawn, text_table, wrapped


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
            parts.append(_table(title, findings))
    to_do = {finding.rule.id: finding.rule.do for finding in verdict.blocking + verdict.advisory}
    if to_do:
        parts.append("\nWhat to do?\n" + wrapped(f"- {rule}: {do}" for rule, do in to_do.items()))
    parts.append(
        f"\n{len(verdict.blocking)} broken, {len(verdict.advisory)} advice, "
        f"{len(verdict.waived)} waived.\n"
    )
    return "".join(parts).rstrip("\n")


def _table(title: str, findings: Sequence[Finding]) -> str:
    table = text_table(title)
    for heading, ratio in (("Rule", 30), ("Resource", 26), ("Where, and what was found", 40)):
        table.add_column(heading, ratio=ratio, overflow="fold")
    for finding in findings:
        where = f"{finding.violation.path}: {_found(finding)}"
        # Text, because paths hold brackets, which a plain string would lose as markup.
        table.add_row(*(Text(cell) for cell in (finding.rule.id, finding.resource, where)))
    return drawn(table)


def _found(finding: Finding) -> str:
    waiver, found = finding.waiver, finding.violation.found
    if waiver is None:
        return found
    state = "until" if finding.is_waived else "whose waiver expired on"
    return f"{found} ({waiver.owner}, {state} {waiver.expires.isoformat()})"
