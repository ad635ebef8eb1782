"""The report as plain text: one table per question, readable at 80 columns and in a CI log."""

from __future__ import annotations

from dataclasses import replace

from rich.table import Table as Grid

from breakeven.cost.bill.candidate import CandidateCost
from breakeven.cost.report import Report
from breakeven.reports.availability import availability
from breakeven.reports.formatting import shown_in, usd, usd_per_million
from breakeven.reports.layout import Table
from breakeven.reports.line_item_table import add_line, line_table
from breakeven.reports.quality import solved_tasks
from breakeven.reports.rollouts.candidate import candidate_prefix, compared_candidates, total_name
from breakeven.reports.sentences.bill import bill_notes
from breakeven.reports.sentences.notes import price_sources, report_notes
from breakeven.reports.tables import (
    break_even,
    by_api,
    by_model,
    findings,
    heading,
    levers,
    options,
)
from breakeven.reports.text import drawn, text_table, wrapped

_MARKS = {"chosen": "->", "struck": "x"}
"""Before what is recommended, and before what is crossed out."""


def render(report: Report) -> str:
    """Returns the whole report as text, at most `WIDTH` columns."""
    with shown_in(report.assumptions.currency):
        return "\n".join(line.rstrip() for part in _parts(report) for line in part.splitlines())


def quality_text(report: Report) -> str:
    """Returns what a solved task costs as text; empty where no evaluation counts."""
    with shown_in(report.assumptions.currency):
        return "".join(_table(table) for table in solved_tasks(report))


def _parts(report: Report) -> list[str]:
    return [
        _heading(report),
        _self_hosted(report),
        *([_table(by_model(report))] if report.assumptions.others else []),
        *(_table(table) for table in compared_candidates(report)),
        _table(by_api(report)),
        _table(break_even(report)),
        _recommendation(report),
        *(_table(table) for table in solved_tasks(report)),
        *([_table(availability(report))] if report.availability is not None else []),
        *([_table(levers(report))] if report.levers is not None else []),
        _notes(report),
    ]


def _heading(report: Report) -> str:
    return wrapped(
        [f"COST OF STACK {report.assumptions.stack}", *heading(report), *findings(report)]
    )


def _self_hosted(report: Report) -> str:
    table = line_table("Monthly cost of self-hosting")
    for line in report.infrastructure.lines:
        add_line(table, line)
    table.add_row(
        "Infrastructure", "", "", "", usd(report.infrastructure.monthly), "", end_section=True
    )
    for line in report.staffing:
        add_line(table, line)
    reserve = report.assumptions.staffing.contingency_share
    if reserve:
        table.add_row(
            f"Contingency, {reserve:.0%}", "", "", "", usd(report.bill.contingency), "stated"
        )
    table.add_row(
        "Staffing and overhead",
        "",
        "",
        "",
        usd(report.total - report.infrastructure.monthly),
        "",
        end_section=True,
    )
    table.add_row("Total", "", "", "", usd(report.total), "")
    rate = usd_per_million(report.usd_per_million_tokens)
    table.add_row("Cost per 1M tokens", "", "", "", rate, "", end_section=bool(report.candidates))
    for candidate in report.candidates:
        _add_candidate(table, report, candidate)
    if report.candidates:
        name = total_name(report)
        table.add_row(name, "", "", "", usd(report.total_with_candidate), "")
    return drawn(table) + wrapped(bill_notes(report))


def _add_candidate(table: Grid, report: Report, candidate: CandidateCost) -> None:
    for line in candidate.lines:
        add_line(table, line, candidate_prefix(report, candidate))
    if candidate.contingency:
        share = (
            f"{candidate_prefix(report, candidate)}contingency, {candidate.contingency_share:.0%}"
        )
        table.add_row(share, "", "", "", usd(candidate.contingency), "stated")


def _table(answered: Table) -> str:
    """Lays out a question: its table, and the sentences below it."""
    table = text_table(answered.title)
    marked = any(row.weight in _MARKS for row in answered.rows)
    first, *others = answered.columns
    if marked:
        table.add_column("", no_wrap=True, width=2)
    table.add_column(first.heading, ratio=1, overflow="fold")
    for column in others:
        table.add_column(
            column.heading, justify="right" if column.numeric else "left", no_wrap=True
        )
    for row in answered.rows:
        marks = (_MARKS.get(row.weight, ""),) if marked else ()
        table.add_row(*marks, *row.cells)
    return drawn(table) + wrapped(answered.notes)


def _recommendation(report: Report) -> str:
    ways = options(report)
    reasons = tuple(f"- {reason}" for reason in ways.notes)
    return _table(replace(ways, notes=(ways.answer, *reasons)))


def _notes(report: Report) -> str:
    notes = [f"- {note}" for note in report_notes(report)]
    notes += [f"- {source}" for source in price_sources(report)]
    return "\nNotes\n" + wrapped(notes)
