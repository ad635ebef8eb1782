"""Several stacks in one bill add up."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from breakeven.cost.estimate import estimate
from breakeven.reports.several_stacks import several_stacks_output, several_stacks_text
from tests.unit.cost.builders import assumptions, pool


def test_the_totals_are_the_sums_of_the_stacks() -> None:
    one = assumptions(stack="one")
    more = replace(one, stack="two", load=replace(one.load, tokens_per_day=300_000_000))
    reports = [estimate([pool()], each) for each in (one, more)]
    found = several_stacks_output(reports)
    assert found["selfHosted"] == f"{sum((one.total for one in reports), Decimal(0)):.2f}"
    assert found["api"] == f"{sum((one.api.monthly for one in reports), Decimal(0)):.2f}"
    text = several_stacks_text(reports)
    assert "400,000,000" in text
    assert f"{reports[1].total:,.2f}" in text
