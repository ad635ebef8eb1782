"""List prices of machines, volumes, load balancers and the like; dated, sourced, overridable.

A GPU node that the book lacks has no price: nothing is taken from another region, machine or cloud.
For anything else a region without a price of its own gets that of another region of its cloud, and
the price says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from breakeven.catalog.clouds import find_cloud
from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.price import Price, PriceMissingError
from breakeven.catalog.price_entries import INFRASTRUCTURE
from breakeven.catalog.price_file import of_cloud, read_book
from breakeven.catalog.price_regions import ANY, cloud_of, in_region, region_of, without_region
from breakeven.suggestions import near_names, suggestion

__all__ = ["NodeShape", "PriceBook", "UnknownInstanceTypeError"]

_UNITS = {
    **dict.fromkeys(INFRASTRUCTURE, "month"),
    "node": "node-hour",
    "volume": "GB-month",
    "egress": "GB",
    "registry": "GB-month",
    "logs": "GB",
    "object-storage": "GB-month",
}
"""Unit by the first part of an identifier, unless its last part says otherwise."""

_UNITS_BY_ENDING = {
    "/gb": "GB",
    "-read": "GB",
    "-write": "GB",
    "-lcu": "unit-month",
    "-iops": "unit-month",
}


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
    """All unit prices that a stack can ask for, as of a day."""

    def __init__(  # what a book holds, and where and when it is asked
        self,
        prices: Mapping[str, Price],
        shapes: Mapping[tuple[str, str], NodeShape],
        *,
        today: date,
        region: str = "",
        overrides: Mapping[str, Price] | None = None,
    ) -> None:
        self._prices = prices
        self._shapes = shapes
        self._today = today
        self._region = region
        self._overrides = overrides or {}
        self._used: dict[str, Price] = {}
        # A search asks for the same few prices thousands of times.
        self._found: dict[str, Price | None] = {}

    @classmethod
    def load(
        cls,
        overrides: Mapping[str, Decimal] | None = None,
        *,
        private: Collection[str] = (),
        today: date,
        region: str = "",
        own: Path | None = None,
    ) -> PriceBook:
        """Returns the shipped price book with the user's own prices over it.

        Args:
            overrides: USD by identifier. They win, and may add what the book lacks. An identifier
                without a region, such as volume/aws/gp3, holds in all regions.
            private: Identifiers of overrides whose amounts stay out of reports.
            today: Day from which ages are counted.
            region: Region of what is asked for without one, such as "volume/aws/gp3"; empty for
                the first region of each cloud.
            own: Folder of the user's own price files.

        Raises:
            ValueError: An override is negative, or its identifier starts with nothing that has a
                unit.
            PriceFileError: A price file is damaged.
        """
        book = read_book(own=own)
        _check_identifiers(overrides or {}, book.prices)
        stated = {
            identifier: Price(
                identifier=identifier,
                usd=usd,
                unit=_unit(identifier, book.prices),
                source="pricing.overrides",
                as_of=today,
                confidence="user",
                private=identifier in private,
            )
            for identifier, usd in (overrides or {}).items()
        }
        return cls(book.prices, book.shapes, today=today, region=region, overrides=stated)

    @property
    def today(self) -> date:
        """Day from which ages are counted."""
        return self._today

    @property
    def used(self) -> tuple[Price, ...]:
        """The prices that were asked for so far, by identifier: what an estimate rests on."""
        return tuple(self._used[identifier] for identifier in sorted(self._used))

    def find(self, identifier: str) -> Price:
        """Returns a price by its identifier.

        Args:
            identifier: With a region, or without one for that of the book.

        Raises:
            PriceMissingError: The book has none.
            PriceFileError: Its line in the book is damaged.
        """
        if identifier not in self._found:
            self._found[identifier] = self._stated(identifier) or self._listed(identifier)
        price = self._found[identifier]
        if price is None:
            raise PriceMissingError(identifier, self._related(identifier))
        self._used[price.identifier] = price
        return price

    def node(self, cloud: str, region: str, instance_type: str, capacity_type: str) -> Price:
        """Returns USD for a node-hour.

        Args:
            cloud: Name of the cloud.
            region: Its region.
            instance_type: Machine type.
            capacity_type: "on-demand", "spot", "reserved-1y" or "reserved-3y".

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

    def machines(self, cloud: str) -> tuple[NodeShape, ...]:
        """Returns the machine types of a cloud, sorted."""
        return tuple(shape for _, shape in sorted(self._shapes.items()) if shape.cloud == cloud)

    def regions_of(self, cloud: str, instance_type: str) -> tuple[str, ...]:
        """Returns the regions of a cloud where a machine type has any price, sorted."""
        found = set()
        for identifier in self._of_cloud(cloud):
            parts = identifier.split("/")
            if parts[0] == "node" and parts[3] == instance_type:
                found.add(parts[2])
        return tuple(sorted(found))

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

    def _stated(self, identifier: str) -> Price | None:
        own = self._overrides
        for name in (identifier, in_region(identifier, self._asked(identifier))):
            if name in own:
                return own[name]
        return own.get(without_region(identifier))

    def _listed(self, identifier: str) -> Price | None:
        asked = self._asked(identifier)
        names = (identifier, in_region(identifier, asked), in_region(identifier, ANY))
        here = [self._prices.get(name) for name in dict.fromkeys(names)]
        known = [price for price in here if price is not None]
        if known or self._has_gpu(identifier):
            return max(known, key=lambda price: price.as_of, default=None)
        for region in self._lenders(identifier):
            price = self._prices.get(in_region(identifier, region))
            if price is not None:
                return replace(price, stands_in_for=asked)
        return None

    def _asked(self, identifier: str) -> str:
        cloud = find_cloud(cloud_of(identifier))
        return region_of(identifier) or self._region or cloud.first_region or ANY

    def _has_gpu(self, identifier: str) -> bool:
        """Tells whether it is a machine with a GPU, or one that is not known."""
        kind, *rest = identifier.split("/")
        if kind != "node":
            return False
        shape = self._shapes.get((rest[0], rest[2]))
        return shape is None or shape.gpu is not None

    def _lenders(self, identifier: str) -> Iterable[str]:
        """Yields the regions of a cloud whose price may stand in: its first, then by name."""
        cloud = cloud_of(identifier)
        yield find_cloud(cloud).first_region
        regions = {
            region_of(known)
            for known in self._of_cloud(cloud)
            if known == in_region(identifier, region_of(known))
        }
        yield from sorted(regions)

    def _of_cloud(self, cloud: str) -> Iterator[str]:
        return of_cloud(self._prices, cloud)

    def _related(self, identifier: str) -> Iterator[str]:
        """Yields what can have been meant: the same machine elsewhere, others in the region."""
        yield from self._overrides
        is_node = identifier.startswith("node/")
        for known in self._of_cloud(cloud_of(identifier)):
            if not is_node and not known.startswith("node/"):
                yield without_region(known)
            elif is_node and _is_like(known, identifier):
                yield known


def _is_like(known: str, node: str) -> bool:
    """Tells whether a price is of the same machine, or of one in the same region, bought alike.

    Thousands of others resemble it letter by letter.
    """
    _, *rest = node.split("/")
    kind, *parts = known.split("/")
    return (
        kind == "node"
        and rest[-1:] == parts[-1:]
        and (rest[2:3] == parts[2:3] or rest[1:2] == parts[1:2])
    )


def _unit(identifier: str, listed: Mapping[str, Price]) -> str:
    found = listed.get(in_region(identifier, find_cloud(cloud_of(identifier)).first_region))
    found = found or listed.get(identifier)
    if found is not None:
        return found.unit
    for ending, unit in _UNITS_BY_ENDING.items():
        if identifier.endswith(ending):
            return unit
    return _UNITS[identifier.partition("/")[0]]


def _check_identifiers(identifiers: Iterable[str], listed: Mapping[str, Price]) -> None:
    """Refuses identifiers that stand for nothing that has a unit.

    Raises:
        ValueError: There are some; all are named.
    """
    unknown = [
        identifier
        for identifier in identifiers
        if identifier not in listed
        and not identifier.endswith(tuple(_UNITS_BY_ENDING))
        and identifier.partition("/")[0] not in _UNITS
    ]
    if unknown:
        names = ", ".join(f'"{identifier}"' for identifier in unknown)
        allowed = ", ".join(f"{known}/..." for known in _UNITS)
        msg = f"price {names}; allowed: {allowed}"
        raise ValueError(msg)
