"""How amounts of money, and what they are computed from, are rounded."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

_CENT = Decimal("0.01")
_MILLIONTH = Decimal("0.000001")


def to_cents(value: Decimal) -> Decimal:
    """Rounds USD to cents, half up."""
    return value.quantize(_CENT, ROUND_HALF_UP)


def to_millionths(value: Decimal) -> Decimal:
    """Rounds the price of one unit to six places, half up."""
    return value.quantize(_MILLIONTH, ROUND_HALF_UP)


def to_decimal(value: float) -> Decimal:
    """Turns a simulated figure into a Decimal of nine places, more than it is worth."""
    return Decimal(repr(round(value, 9)))
