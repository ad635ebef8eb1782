"""List prices of machines, volumes, load balancers and the like; dated, sourced, overridable.

`breakeven prices refresh` rebuilds `data/prices.json`. What it lacks has no price: nothing is taken
from another region, machine or cloud.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from functools import cache

from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.price import Price, PriceMissingError
from breakeven.catalog.price_file import BookFile, read_book
from breakeven.suggestions import near_names, suggestion

__all__ = ["NodeShape", "PriceBook", "UnknownInstanceTypeError"]

_UNITS = {
    "node": "node-hour",
    "volume": "GB-month",
    "control-plane": "month",
    "load-balancer": "month",
    "nat": "month",
    "egress": "GB",
}
"""Unit by the first part of an identifier, unless its last part says otherwise."""

_UNITS_BY_ENDING = {"/gb": "GB", "-lcu": "unit-month", "-iops": "unit-month"}


class UnknownInstanceTypeError(LookupError):
    """No shape is known for a machine type.

    Attributes:
        instance_type: As "cloud/type".
        near: Types that resemble it.
    """

    def __init__(self, instance_type: str, near: tuple[str, ...]) -> None:
        self.instance_type = instance_type
        self.near = near
        super().__init__(f'no machine type "{instance_type}"{suggestion(near)}')


class PriceBook:
    """All unit prices, as of a day."""

    def __init__(
        self,
        prices: Mapping[str, Price],
        shapes: Mapping[tuple[str, str], NodeShape],
        *,
        today: date,
    ) -> None:
        self._prices = prices
        self._shapes = shapes
        self._today = today
        self._used: set[str] = set()

    @classmethod
    def load(
        cls,
        overrides: Mapping[str, Decimal] | None = None,
        *,
        private: Collection[str] = (),
        today: date,
    ) -> PriceBook:
        """Returns the committed price book with the user's own prices over it.

        Args:
            overrides: USD by identifier. They win, and may add what the book lacks.
            private: Identifiers of overrides whose amounts stay out of reports.
            today: Day from which ages are counted.

        Raises:
            ValueError: An override is negative, or its identifier starts with nothing that has a
                unit.
            PriceFileError: The committed book is damaged.
        """
        book = _committed()
        listed = book.prices
        prices = dict(listed)
        for identifier, usd in (overrides or {}).items():
            prices[identifier] = Price(
                identifier=identifier,
                usd=usd,
                unit=_unit(identifier, listed),
                source="pricing.overrides",
                as_of=today,
                confidence="user",
                private=identifier in private,
            )
        return cls(prices, book.shapes, today=today)

    @property
    def today(self) -> date:
        """Day from which ages are counted."""
        return self._today

    @property
    def used(self) -> tuple[Price, ...]:
        """The prices that were asked for so far, by identifier: what an estimate rests on."""
        return tuple(self._prices[identifier] for identifier in sorted(self._used))

    def find(self, identifier: str) -> Price:
        """Returns a price by its identifier.

        Raises:
            PriceMissingError: The book has none.
        """
        try:
            price = self._prices[identifier]
        except KeyError:
            raise PriceMissingError(identifier, self._prices) from None
        self._used.add(identifier)
        return price

    def node(self, cloud: str, region: str, instance_type: str, capacity_type: str) -> Price:
        """Returns USD for a node-hour; `capacity_type` is "on-demand" or "spot".

        Raises:
            PriceMissingError: The book has none for that machine there.
        """
        return self.find(f"node/{cloud}/{region}/{instance_type}/{capacity_type}")

    def shape(self, cloud: str, instance_type: str) -> NodeShape:
        """Returns what a machine type has.

        Raises:
            UnknownInstanceTypeError: It is not known.
        """
        try:
            return self._shapes[cloud, instance_type]
        except KeyError:
            wanted = f"{cloud}/{instance_type}"
            near = near_names(wanted, ("/".join(key) for key in self._shapes))
            raise UnknownInstanceTypeError(wanted, near) from None

    def age_days(self, price: Price) -> int:
        """Returns the days since the price was true; 0 for one from the future."""
        return max(0, (self._today - price.as_of).days)

    def is_from_the_future(self, price: Price) -> bool:
        """Tells whether the price is of a day to come, so that today's date must be wrong.

        A day is left for time zones.
        """
        return (price.as_of - self._today).days > 1

    def is_stale(self, price: Price, max_age_days: int) -> bool:
        """Tells whether the price is older than `max_age_days`, 0 or more."""
        return self.age_days(price) > max_age_days


@cache
def _committed() -> BookFile:
    return read_book()


def _unit(identifier: str, listed: Mapping[str, Price]) -> str:
    if identifier in listed:
        return listed[identifier].unit
    for ending, unit in _UNITS_BY_ENDING.items():
        if identifier.endswith(ending):
            return unit
    kind = identifier.partition("/")[0]
    if kind not in _UNITS:
        msg = f'price "{identifier}"; allowed: {", ".join(f"{known}/..." for known in _UNITS)}'
        raise ValueError(msg)
    return _UNITS[kind]
