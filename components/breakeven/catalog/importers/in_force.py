"""Of several prices of one thing, the one in force on the day of the list.

Lists announce prices: one that begins after the day of the list is not what a node costs that day.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from datetime import date

from breakeven.catalog.importers.listing import parse_day
from breakeven.catalog.price import Price


class InForce:
    """Keeps, of each thing's prices, the one that began last and not after its own day."""

    def __init__(self) -> None:
        self._latest: dict[Hashable, tuple[date, Price]] = {}

    def offer(self, price: Price, start: date | None, key: Hashable = None) -> None:
        """Takes a price into account.

        Args:
            price: As of the day of the list.
            start: Day from which it holds; None if the list does not say.
            key: What it is the price of; its identifier where none is given.
        """
        key = price.identifier if key is None else key
        began = start or date.min
        if began > price.as_of:
            return
        latest = self._latest.get(key)
        # Of two that began on one day the dearer, so that the order does not matter.
        if latest is None or (began, price.usd) > (latest[0], latest[1].usd):
            self._latest[key] = (began, price)

    def prices(self) -> Iterator[Price]:
        """Yields the prices in force."""
        yield from (price for _, price in self._latest.values())


def start_day(where: str, text: object) -> date | None:
    """Reads the day from which a price holds; None if it is not stated.

    Raises:
        SourceError: It is stated, but not a day.
    """
    return None if text in (None, "") else parse_day(where, text)
