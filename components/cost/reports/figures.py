"""How figures are written for people: the cents of the JSON form, with thousands separators."""

from __future__ import annotations

from decimal import Decimal

from components.cost.break_even import BreakEven
from components.cost.estimate import volume
from components.cost.report import rate

_WHOLE_DOLLARS = 100  # from here on, digits beyond cents say nothing


def usd_for_one(price: Decimal) -> str:
    """Writes a unit price with the digits that it has, and none lost below a cent."""
    if price >= _WHOLE_DOLLARS:
        return f"${Decimal(rate(price)):,.2f}"
    whole, _, places = rate(price).partition(".")
    return f"${whole}.{places:0<2}"


def usd_per_million(price: Decimal) -> str:
    """Writes the price of a million tokens to a hundredth of a cent."""
    return f"${price:,.4f}"


def first_crossing(result: BreakEven) -> str:
    """Writes from how many tokens a day it costs less, and nodes at the peak; or "never"."""
    if result.never:
        return "never"
    first = result.cheaper[0]
    return f"{volume(first.from_tokens_per_day)} ({first.nodes})"


def counted(number: int, one: str) -> str:
    """Writes a number of things, such as "1 node" or "3 nodes"."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"
