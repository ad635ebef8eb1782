"""The tables that Markdown and HTML lay out hold the figures of the one report."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings

from breakeven.cost.report import Report
from breakeven.reports import tables
from breakeven.reports.formatting import money, usd
from breakeven.reports.layout import Table
from breakeven.reports.sentences.line_items import item_name, item_source
from tests.unit.reports.cases import amounts, report_of, reports


def bill(table: Table) -> tuple[list[Decimal], Decimal]:
    """The parts of a bill, and its total."""
    monthly = {row.cells[0]: row.cells[3] for row in table.rows}
    sums = {row.cells[0] for row in table.rows if row.weight == "sum"}
    parts = [
        Decimal(text.strip("$").replace(",", ""))
        for name, text in monthly.items()
        if name not in sums and name != "Cost per 1M tokens"
    ]
    return parts, Decimal(monthly["Total"].strip("$").replace(",", ""))


@settings(max_examples=40)
@given(reports())
def test_the_parts_sum_to_the_total_but_for_the_rounding_of_each(report: Report) -> None:
    parts, total = bill(tables.self_hosted(report))
    assert sum(parts) == total


@settings(max_examples=20)
@given(reports())
def test_every_row_has_a_cell_for_every_column(report: Report) -> None:
    for make in (
        tables.options,
        tables.self_hosted,
        tables.by_api,
        tables.break_even,
        tables.sources,
    ):
        table = make(report)
        assert table.answer
        for row in table.rows:
            assert len(row.cells) == len(table.columns)
            assert row.cells[0]


@settings(max_examples=20)
@given(reports())
def test_one_option_is_marked_and_costs_what_the_recommendation_says(report: Report) -> None:
    [chosen] = [row for row in tables.options(report).rows if row.weight == "chosen"]
    assert amounts(chosen.cells[1]) == {Decimal(money(report.verdict.monthly))}


def test_each_price_of_the_report_has_a_source() -> None:
    report = report_of()
    rows = {row.cells[0]: row.cells for row in tables.sources(report).rows}
    for line in (*report.infrastructure.lines, *report.staffing):
        assert rows[item_name(line)][-1] == item_source(line)
    for cost in (report.api, *report.hosted):
        assert rows[cost.price.reference][-1] == cost.price.source


def test_a_budget_is_compared_with_the_total() -> None:
    report = report_of(budget_per_month=Decimal(1))
    below = " ".join(tables.self_hosted(report).notes)
    assert f"the total is {usd(report.total - 1)} over" in below
    assert "within" in " ".join(
        tables.self_hosted(report_of(budget_per_month=Decimal(10**6))).notes
    )
