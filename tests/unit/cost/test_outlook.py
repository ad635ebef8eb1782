"""What is paid once, and over some years."""

from __future__ import annotations

from decimal import Decimal

import pytest

from breakeven.cost.estimate import estimate
from breakeven.cost.outlook import Outlook
from breakeven.reports.document.writing import report_document
from tests.unit.cost.builders import assumptions, pool


def test_the_one_off_cost_is_paid_back_by_what_each_month_saves() -> None:
    outlook = Outlook(one_off=Decimal(1000))
    assert outlook.payback_months(Decimal(100), Decimal(350)) == 4
    assert outlook.payback_months(Decimal(100), Decimal(351)) == 4
    assert outlook.payback_months(Decimal(100), Decimal(349)) == 5
    assert outlook.payback_months(Decimal(100), Decimal(100)) is None


def test_an_api_that_becomes_cheaper_pays_it_back_later_or_never() -> None:
    falling = Outlook(one_off=Decimal(1500), api_change=Decimal("-0.5"))
    # A hundred saved in each month of the first year, nothing afterwards.
    assert falling.payback_months(Decimal(100), Decimal(200)) is None
    same = Outlook(one_off=Decimal(1500))
    assert same.payback_months(Decimal(100), Decimal(200)) == 15


def test_years_add_up_with_what_is_paid_once_and_what_is_left() -> None:
    outlook = Outlook(
        one_off=Decimal(500), years=3, api_change=Decimal("-0.5"), residual=Decimal(200)
    )
    assert outlook.own_total(Decimal(10)) == 500 + 360 - 200
    assert outlook.api_total(Decimal(100)) == 1200 + 600 + 300
    assert Outlook().own_total(Decimal(10)) == 0


def test_the_document_has_what_the_stack_states_and_what_follows() -> None:
    outlook = Outlook(
        one_off=Decimal(500), years=3, api_change=Decimal("-0.1"), residual=Decimal(200)
    )
    report = estimate((pool(),), assumptions(outlook=outlook))
    found = report_document(report).outlook
    assert found is not None
    own, api = report.serving_total, report.api.monthly
    assert found.payback_months == outlook.payback_months(own, api)
    assert (found.one_off, found.residual_value) == ("500.00", "200.00")
    assert (found.horizon_years, found.api_price_change_percent) == (3, "-10")
    assert found.self_hosted == f"{outlook.own_total(own):.2f}"
    assert found.api == f"{outlook.api_total(api):.2f}"
    assert report_document(estimate((pool(),), assumptions())).outlook is None


def test_starts_are_in_the_document_as_in_the_notes_of_the_bill() -> None:
    report = estimate((pool(),), assumptions())
    found = report_document(report).starts
    assert Decimal(found.nodes) == pytest.approx(report.starts.nodes, abs=Decimal("1e-6"))
    assert Decimal(found.monthly) == report.starts.monthly
