"""Machines and traffic are counted over the same month."""

from __future__ import annotations

from decimal import Decimal

import pytest

from breakeven.cost.calendar import CALENDAR_MONTH, THIRTY_DAYS, Calendar
from breakeven.reports.formatting import month_name


@pytest.mark.parametrize("calendar", [CALENDAR_MONTH, THIRTY_DAYS])
def test_hours_and_days_are_of_the_same_month(calendar: Calendar) -> None:
    difference = calendar.hours_per_month - 24 * calendar.days_per_month
    assert abs(difference) < Decimal("1e-20")


def test_twelve_calendar_months_are_a_year() -> None:
    assert 12 * CALENDAR_MONTH.hours_per_month == 8760
    assert abs(12 * CALENDAR_MONTH.days_per_month - 365) < Decimal("1e-20")


def test_the_two_months_have_different_names() -> None:
    assert month_name(CALENDAR_MONTH) == "730 hours"
    assert month_name(THIRTY_DAYS) == "30 days"
    assert THIRTY_DAYS.days_per_month == 30
