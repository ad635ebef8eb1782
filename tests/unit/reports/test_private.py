"""A private price counts in totals and is shown in no report."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from breakeven.cost.estimate import estimate
from breakeven.cost.report import Report
from breakeven.reports.diff.changes import compare
from breakeven.reports.diff.text import diff_text
from breakeven.reports.document.reading import figures_of
from breakeven.reports.document.writing import as_output
from breakeven.reports.estimate_text import render
from breakeven.reports.focus import focus_csv
from breakeven.reports.markdown import markdown
from breakeven.reports.page import page
from breakeven.reports.plots.tornado import tornado_of
from tests.unit.cost.builders import assumptions, node, pool, volume

LEDGER = (pool(), volume())


def with_itself(report: Report) -> str:
    figures = figures_of(json.loads(json.dumps(as_output(report))))
    return diff_text(compare(figures, figures, ("one", "other")))


def as_page(report: Report) -> str:
    return page(report, tornado_of(report, LEDGER))


@pytest.fixture(scope="module")
def report() -> Report:
    """An estimate whose nodes have a private price of $7.7777 an hour."""
    listed = node("7.7777")
    private = replace(listed, price=replace(listed.price, private=True, source="secret deal"))
    return estimate(LEDGER, assumptions(node=private))


@pytest.mark.parametrize("write", [render, markdown, as_page, focus_csv, with_itself])
def test_no_report_shows_price_amount_or_source(
    report: Report, write: Callable[[Report], str]
) -> None:
    shown = write(report)
    assert "7.7777" not in shown
    assert "secret deal" not in shown
    for line in report.infrastructure.lines:
        if line.private:
            assert f"{line.monthly:,.2f}" not in shown
            assert f"{line.monthly:.2f}" not in shown


def test_the_total_has_it(report: Report) -> None:
    assert report.infrastructure.monthly > Decimal("7.7777") * 720
