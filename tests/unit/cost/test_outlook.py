"""What is paid once, and over some years."""

from __future__ import annotations

from decimal import Decimal

from breakeven.cost.outlook import Outlook


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
