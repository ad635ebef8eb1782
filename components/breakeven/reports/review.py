"""The monthly review of a stack as the body of a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from breakeven.catalog.apis.findings import Retired, RetiresSoon
from breakeven.cost.recommendation import Choice
from breakeven.cost.report import ApiCost, Report
from breakeven.reports import tables
from breakeven.reports.diff.changes import Comparison
from breakeven.reports.diff.text import diff_tables
from breakeven.reports.formatting import counted, money, usd, usd_difference
from breakeven.reports.layout import Table
from breakeven.reports.markdown import LARGEST_COMMENT, escaped, grid, marker
from breakeven.reports.sentences.apis import finding_sentence
from breakeven.reports.sentences.levers import lever_name, lever_settings
from breakeven.reports.sentences.recommendation import summary

_ANSWERS: dict[Choice, str] = {
    "self-host": "Yes, keep hosting all of it.",
    "hybrid": "Yes, keep hosting part of it, and send the rest to an API.",
    "api": "No, the API in use costs less.",
    "hosted": "No, a hosted API for the same model costs less.",
}
_LEVERS = 3
VERSION = 1
"""Of the JSON form."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something that the review did before it estimated, and what that printed.

    Attributes:
        title: What it is.
        answer: How it ended, in a few words.
        text: What it printed.
    """

    title: str
    answer: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A stack, looked at again.

    Attributes:
        report: Its estimate now, with levers.
        comparison: What changed since the last review; None where there is nothing to compare with.
        steps: What was done first: prices, reconciliation, traffic.
        written: Files that were written, from the project's folder.
    """

    report: Report
    comparison: Comparison | None
    steps: tuple[Step, ...] = ()
    written: tuple[str, ...] = ()

    @property
    def today(self) -> date:
        """Day of the estimate."""
        return self.report.assumptions.book.today


def review_markdown(review: Review) -> str:
    """Returns the body of a pull request: the answer first, what was done folded at the end.

    The first line is invisible and names the stack, so that a job finds its pull request again.
    """
    report = review.report
    stack = report.assumptions.stack
    choice = report.verdict.chosen.choice
    lines = [
        marker(f"review {stack}"),
        f"## Review of stack {escaped(stack)}, {review.today:%B %Y}",
        "",
        f"**Should we still host this? {_ANSWERS[choice]}** {escaped(summary(report.verdict))}",
        "",
        *(f"**{escaped(finding)}**  " for finding in tables.findings(report)),
        *_changed(review.comparison),
        *_levers(report),
        *_retiring(report),
        *_stale(report),
        *_written(review.written),
    ]
    body = "\n".join(lines).rstrip() + "\n"
    for step in review.steps:
        folded = _folded(step)
        # The answer is never cut for what led to it; 200 characters say what is missing.
        fits = len(body) + len(folded) < LARGEST_COMMENT - 200
        body += folded if fits else f"\n{escaped(step.title)}: {escaped(step.answer)} (too long)\n"
    return body


def review_output(review: Review) -> dict[str, object]:
    """Returns the review as plain values; money are decimal strings in USD a month."""
    report = review.report
    return {
        "version": VERSION,
        "stack": report.assumptions.stack,
        "asOf": review.today.isoformat(),
        "choice": report.verdict.chosen.choice,
        "answer": f"{_ANSWERS[report.verdict.chosen.choice]} {summary(report.verdict)}",
        "changed": None if review.comparison is None else review.comparison.as_output(),
        "levers": [
            {"settings": dict(lever.settings), "saving": money(lever.saving)}
            for lever in report.levers or ()
        ],
        "retiring": [
            {"api": cost.price.reference, "finding": finding_sentence(finding)}
            for cost, finding in _retirements(report)
        ],
        "steps": [
            {"title": step.title, "answer": step.answer, "text": step.text} for step in review.steps
        ],
        "written": list(review.written),
    }


def _changed(comparison: Comparison | None) -> Iterator[str]:
    yield from ("### What changed", "")
    if comparison is None:
        yield from ("There is no earlier review to compare with.", "")
        return
    if not _differs(comparison):
        yield from (f"Nothing, compared with {escaped(comparison.before)}.", "")
        return
    stays = "changes" if comparison.advice_changed else "stays"
    total = next(change for change in comparison.totals[-1:])
    yield (
        f"Compared with {escaped(comparison.before)}: the recommendation {stays}; the monthly cost "
        f"of self-hosting goes from {usd(total.before or total.difference)} to "
        f"{usd(total.after or total.difference)} ({usd_difference(total.difference)})."
    )
    yield ""
    for table in diff_tables(comparison):
        yield from _details(table)


def _differs(comparison: Comparison) -> bool:
    amounts = (*comparison.lines, *comparison.totals, *comparison.apis)
    moved = any(before != after for before, after in comparison.break_even.values())
    return moved or comparison.advice_changed or any(each.sign != " " for each in amounts)


def _details(table: Table) -> Iterator[str]:
    summary_line = f"{table.title}: {table.answer}" if table.answer else table.title
    yield f"<details><summary>{escaped(summary_line)}</summary>"
    yield from ("", *grid(table), "")
    yield from (f"- {escaped(note)}" for note in table.notes)
    yield from ("", "</details>", "")


def _levers(report: Report) -> Iterator[str]:
    yield from ("### What would lower the bill now", "")
    found = report.levers or ()
    if not found:
        yield from ("No tried setting lowers the bill and keeps every objective.", "")
        return
    for lever in found[:_LEVERS]:
        yield (
            f"- {escaped(lever_name(lever))}: saves {usd(lever.saving)}/month. Set "
            f"`{lever_settings(lever)}`."
        )
    more = len(found) - _LEVERS
    if more > 0:
        yield f"- {counted(more, 'more lever')}: `breakeven estimate {report.assumptions.stack}`"
    yield ""


def _retiring(report: Report) -> Iterator[str]:
    yield from ("### APIs that retire", "")
    found = [_retirement(*each) for each in _retirements(report)]
    yield from found or ["None of the compared APIs retires soon."]
    yield ""


def _retirements(report: Report) -> Iterator[tuple[ApiCost, Retired | RetiresSoon]]:
    for cost in (report.api, *report.hosted):
        for finding in cost.price.findings:
            if isinstance(finding, Retired | RetiresSoon):
                yield cost, finding


def _retirement(cost: ApiCost, finding: Retired | RetiresSoon) -> str:
    sentence = f"{cost.price.reference}: {finding_sentence(finding)}."
    return f"- {escaped(sentence)}" + ("" if cost.decides else " It is now excluded.")


def _stale(report: Report) -> Iterator[str]:
    lines = report.infrastructure.lines
    stale = sum(1 for line in lines if line.as_of is not None and report.is_stale(line.as_of))
    if stale:
        yield (
            f"Stale prices in the bill: {counted(stale, 'line item')}. To fetch current ones: "
            "`breakeven prices refresh`."
        )
        yield ""


def _written(written: tuple[str, ...]) -> Iterator[str]:
    if written:
        yield "This review changed: " + ", ".join(f"`{file}`" for file in written) + "."
        yield ""


def _folded(step: Step) -> str:
    # A fence longer than any in the text cannot be ended by it.
    fence = "`" * 4
    while fence in step.text:
        fence += "`"
    return "\n".join(
        [
            "",
            f"<details><summary>{escaped(step.title)}: {escaped(step.answer)}</summary>",
            "",
            f"{fence}text",
            step.text.rstrip(),
            fence,
            "",
            "</details>",
            "",
        ]
    )
