"""How figures are written: in JSON and for people."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import ROUND_HALF_UP, Decimal

from breakeven.cost.calendar import CALENDAR_MONTH, Calendar
from breakeven.cost.currency import US_DOLLAR, Currency
from breakeven.money import to_cents, to_millionths

_HUNDREDTH_OF_A_CENT = Decimal("0.0001")
_WHOLE_DOLLARS = 100  # from here on, digits beyond cents say nothing

_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£"}
_shown: ContextVar[Currency] = ContextVar("shown", default=US_DOLLAR)


@contextmanager
def shown_in(currency: Currency) -> Iterator[None]:
    """Lets the functions below write amounts, which they are given in USD, in another currency."""
    token = _shown.set(currency)
    try:
        yield
    finally:
        _shown.reset(token)


def currency_name(currency: Currency) -> str:
    """Names a currency, with its rate and day where it is not what costs are computed in."""
    if currency.as_of is None:
        return currency.code
    return f"{currency.code} at {rate(currency.per_usd)} per USD of {currency.as_of.isoformat()}"


def _symbol() -> str:
    code = _shown.get().code
    return _SYMBOLS.get(code, f"{code} ")


def money(value: Decimal) -> str:
    """Rounds USD to cents."""
    return str(to_cents(value))


def rate(value: Decimal) -> str:
    """Rounds a price for one unit to six places, without trailing zeros."""
    return f"{to_millionths(value).normalize():f}"


def usd(value: Decimal) -> str:
    """Writes an amount of USD with thousands separators and cents."""
    cents = to_cents(_shown.get().of(value))
    return f"{'-' if cents < 0 else ''}{_symbol()}{abs(cents):,.2f}"


def usd_difference(value: Decimal) -> str:
    """Writes USD with the sign of a difference; none where it is less than half a cent."""
    return f"{'+' if to_cents(_shown.get().of(value)) > 0 else ''}{usd(value)}"


def usd_for_one(price: Decimal) -> str:
    """Writes a unit price with the digits that it has, and none lost below a cent."""
    if price >= _WHOLE_DOLLARS:
        return usd(price)
    whole, _, places = rate(_shown.get().of(price)).partition(".")
    return f"{_symbol()}{whole}.{places:0<2}"


def usd_per_million(price: Decimal) -> str:
    """Writes a price per 1M tokens to a hundredth of a cent."""
    shown = _shown.get().of(price).quantize(_HUNDREDTH_OF_A_CENT, ROUND_HALF_UP)
    return f"{_symbol()}{shown:,}"


def volume(tokens: float) -> str:
    """Writes a number of tokens in words, to three digits."""
    said = float(f"{tokens:.3g}")  # rounded first, so that 999,999,999 is a billion
    for size, word in ((10**12, "trillion"), (10**9, "billion"), (10**6, "million")):
        if said >= size:
            number = said / size
            places = max(0, 2 - int(math.log10(number)))
            text = f"{number:,.{places}f}"
            return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {word}"
    return f"{tokens:,.0f}"


def counted(number: int, one: str) -> str:
    """Writes a number of things, such as "1 node" or "3 nodes"."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"


def month_name(calendar: Calendar) -> str:
    """Names the month that an estimate counts with, by the hours or days that it has."""
    if calendar == CALENDAR_MONTH:
        return f"{calendar.hours_per_month} hours"
    return f"{calendar.days_per_month} days"
