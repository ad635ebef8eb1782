"""Several stacks in one bill: what each costs, and their sum."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from breakeven.cost.report import Report
from breakeven.reports.formatting import money, usd
from breakeven.reports.sentences.recommendation import summary
from breakeven.reports.text import drawn, text_table, wrapped


def several_stacks_text(reports: Sequence[Report]) -> str:
    """Returns the totals of some stacks, their sum, and what is recommended for each."""
    table = text_table("Monthly cost of several stacks, USD")
    table.add_column("Stack")
    for name in ("Tokens per day", "Self-hosted", "API in use", "Recommended"):
        table.add_column(name, justify="right")
    for report in reports:
        table.add_row(
            report.assumptions.stack,
            f"{report.assumptions.tokens_per_day:,}",
            usd(report.serving_total),
            usd(report.api.monthly),
            usd(report.verdict.monthly),
        )
    table.add_section()
    own, api, recommended = _sums(reports)
    tokens = sum(report.assumptions.tokens_per_day for report in reports)
    table.add_row("Total", f"{tokens:,}", usd(own), usd(api), usd(recommended))
    notes = [f"{report.assumptions.stack}: {summary(report.verdict)}" for report in reports]
    beside = "Shared costs, such as a control plane, are counted as each stack file states."
    return drawn(table) + wrapped([*notes, beside])


def several_stacks_output(reports: Sequence[Report]) -> dict[str, object]:
    """Returns the same as plain values; money are decimal strings in USD a month."""
    own, api, recommended = _sums(reports)
    return {
        "currency": "USD",
        "stacks": [
            {
                "stack": report.assumptions.stack,
                "tokensPerDay": report.assumptions.tokens_per_day,
                "selfHosted": money(report.serving_total),
                "api": money(report.api.monthly),
                "recommended": money(report.verdict.monthly),
                "choice": report.verdict.choice,
            }
            for report in reports
        ],
        "selfHosted": money(own),
        "api": money(api),
        "recommended": money(recommended),
    }


def _sums(reports: Sequence[Report]) -> tuple[Decimal, Decimal, Decimal]:
    return (
        sum((report.serving_total for report in reports), Decimal(0)),
        sum((report.api.monthly for report in reports), Decimal(0)),
        sum((report.verdict.monthly for report in reports), Decimal(0)),
    )
