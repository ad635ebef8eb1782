"""What a solved task costs, as a table: prices compared at the quality of the answers."""

from __future__ import annotations

from breakeven.cost.answers.solved import SolvedCost, solved_costs
from breakeven.cost.report import Report
from breakeven.reports.formatting import usd_for_one, usd_per_million
from breakeven.reports.layout import Column, Row, Table
from breakeven.reports.sentences.quality import quality_notes


def solved_tasks(report: Report) -> tuple[Table, ...]:
    """Returns the table, of a report with an evaluation; else none."""
    quality, costs = report.assumptions.quality, solved_costs(report)
    if quality is None or not costs:
        return ()
    return (
        Table(
            name="solved",
            title="Cost per solved task",
            answer="; ".join(f"{_name(each)} {_per_task(each)}" for each in costs),
            columns=(
                Column("Answered by"),
                Column("Passed (95%)", numeric=True),
                Column("Tokens", numeric=True),
                Column("p95", numeric=True),
                Column("Per 1M tokens", numeric=True),
                Column("Per 1,000 solved", numeric=True),
            ),
            rows=tuple(_row(each) for each in costs),
            notes=tuple(quality_notes(report.assumptions, quality, costs)),
        ),
    )


def _row(cost: SolvedCost) -> Row:
    quality = cost.quality
    escalates = cost.kind == "escalated"
    interval = "" if escalates else f" ({quality.low:.0%} to {quality.high:.0%})"
    return Row(
        (
            _name(cost),
            f"{cost.share:.1%}{interval}",
            "" if escalates else f"{quality.output_tokens:,.0f}",
            "" if escalates else f"{quality.p95_seconds:,.1f} s",
            usd_per_million(cost.per_million_tokens),
            _per_task(cost),
        )
    )


def _per_task(cost: SolvedCost) -> str:
    per_task = cost.per_task
    return "none is solved" if per_task is None else usd_for_one(round(per_task * 1000, 4))


def _name(cost: SolvedCost) -> str:
    match cost.kind:
        case "own":
            return "This stack"
        case "escalated":
            return f"This stack, failures by {cost.api}"
        case "api":
            return cost.api
