"""The report as a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from breakeven.cost.report import Report
from breakeven.reports import tables
from breakeven.reports.availability import availability
from breakeven.reports.formatting import shown_in, usd, usd_per_million
from breakeven.reports.layout import Table
from breakeven.reports.quality import solved_tasks
from breakeven.reports.rollouts.candidate import compared_candidates
from breakeven.reports.sentences.recommendation import summary

LARGEST_COMMENT = 65_536
"""Characters that GitHub takes in a comment."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~])")


def markdown(report: Report) -> str:
    """Returns the report as GitHub's Markdown: the answer first, its parts folded.

    The first line is invisible and names the stack, so that a job finds its comment and updates it.
    Where an extreme report would not fit into a comment, its last parts are left out and named.
    """
    with shown_in(report.assumptions.currency):
        return _markdown(report)


def _markdown(report: Report) -> str:
    stack = report.assumptions.stack
    total, million = usd(report.total), usd_per_million(report.usd_per_million_tokens)
    api = report.api
    by_api = (
        f"{escaped(api.price.reference)}: {usd(api.monthly)}/month, "
        f"{usd_per_million(report.usd_per_million_by(api))} per 1M tokens"
    )
    served = tables.heading(report)
    findings = tables.findings(report)
    options = tables.options(report)
    reasons = [f"- {escaped(reason)}" for reason in options.notes]
    text = "\n".join(
        [
            marker(stack),
            f"## Cost of stack {escaped(stack)}",
            "",
            f"**{escaped(summary(report.verdict))}**",
            "",
            *(f"**{escaped(finding)}**  " for finding in findings),
            *([""] if findings else []),
            f"Self-hosted: {total}/month, {million} per 1M tokens. {by_api}.",
            "",
            f"### {options.title}",
            "",
            *grid(options),
            "",
            *reasons,
            "",
            *(f"{escaped(sentence)}.  " for sentence in served),
            "",
        ]
    )
    parts = (
        tables.self_hosted(report),
        *([tables.by_model(report)] if report.assumptions.others else []),
        *compared_candidates(report),
        tables.by_api(report),
        *solved_tasks(report),
        tables.break_even(report),
        *([availability(report)] if report.availability is not None else []),
        tables.sources(report),
    )
    return _with_parts(text, parts)


def marker(stack: str) -> str:
    """Returns the invisible line by which a comment of this stack is found again."""
    return f"<!-- breakeven: {stack} -->"


def escaped(text: str) -> str:
    """Keeps text from being read as Markdown, HTML, or a mention of somebody."""
    return _unmentioned(_SPECIAL.sub(r"\\\1", text))


def grid(table: Table) -> list[str]:
    """Returns a table as lines of Markdown; sums and what is chosen in bold."""
    rule = ["---:" if column.numeric else ":---" for column in table.columns]
    lines = [_line(escaped(column.heading) for column in table.columns), _line(rule)]
    for row in table.rows:
        cells = [escaped(cell) for cell in row.cells]
        if row.weight == "struck":
            cells = [f"~~{cell}~~" if cell else "" for cell in cells]
        elif row.weight != "plain":
            cells = [f"**{cell}**" if cell else "" for cell in cells]
        if row.weight == "chosen":
            cells[0] = f"→ {cells[0]}"
        lines.append(_line(cells))
    return lines


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _with_parts(text: str, parts: Iterable[Table]) -> str:
    left_out: list[str] = []
    for table in parts:
        folded = "\n".join(
            [
                "",
                f"<details><summary>{_html(table.title)}: {_html(table.answer)}</summary>",
                "",
                *grid(table),
                "",
                *(f"- {escaped(note)}" for note in table.notes),
                "",
                "</details>",
                "",
            ]
        )
        # 500 characters stay free for the sentence about what is left out.
        if len(text) + len(folded) > LARGEST_COMMENT - 500:
            left_out.append(table.title)
        else:
            text += folded
    if left_out:
        text += f"\nToo long for a comment; see the HTML report for: {', '.join(left_out)}\n"
    return text


def _html(text: str) -> str:
    return _unmentioned(escape(text, quote=False))


def _unmentioned(text: str) -> str:
    # GitHub looks for mentions after rendering; a word joiner after the sign ends them.
    return text.replace("@", "@&#8288;")
