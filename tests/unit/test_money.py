"""Amounts are rounded half up, to cents or to millionths."""

from __future__ import annotations

from decimal import Decimal

import pytest

from breakeven.money import to_cents, to_decimal, to_millionths


@pytest.mark.parametrize(
    ("value", "cents"),
    [("0.004", "0.00"), ("0.005", "0.01"), ("-0.005", "-0.01"), ("2", "2.00"), ("1.115", "1.12")],
)
def test_half_a_cent_is_rounded_away_from_zero(value: str, cents: str) -> None:
    assert str(to_cents(Decimal(value))) == cents


def test_a_simulated_figure_keeps_nine_places() -> None:
    assert to_decimal(1 / 3) == Decimal("0.333333333")
    assert to_decimal(2.0) == 2


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("0.0000005", "0.000001"), ("0.00000049", "0.000000"), ("1.25", "1.250000")],
)
def test_a_unit_price_keeps_six_places(value: str, rounded: str) -> None:
    assert str(to_millionths(Decimal(value))) == rounded
