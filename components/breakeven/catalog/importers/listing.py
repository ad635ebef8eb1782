"""What a reader of an outside file gets and gives."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TextIO

from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.price import Price
from breakeven.catalog.price_file import BookFile
from breakeven.json_stream import entries

_SMALLEST = Decimal("1E-15")
"""Smallest fraction of a dollar that the price book's format holds."""

_BEYOND = 10**9
"""Dollars from which on the price book's format holds no price."""


ANY_REGION = "any"
"""Region of a price that holds in all regions of a cloud."""


class SourceError(ValueError):
    """An outside file that cannot be used; the message names file, line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which prices are wanted. Price lists have thousands of machine types; a book has some.

    Attributes:
        shapes: Machine types of the book, by cloud and type.
        regions: Cloud and region of what is wanted.
        as_of: Day on which an undated file was fetched; None if no file needs it.
        cloud: Cloud of a file that names none; empty if no file needs it.
    """

    shapes: Mapping[tuple[str, str], NodeShape]
    regions: frozenset[tuple[str, str]]
    as_of: date | None = None
    cloud: str = ""

    @classmethod
    def of(
        cls, book: BookFile, regions: Iterable[tuple[str, str]] = (), as_of: date | None = None
    ) -> Selection:
        """Returns what a book holds already, in its regions and in those added."""
        return cls(book.shapes, book.regions | frozenset(regions), as_of)

    def takes(self, cloud: str, region: str, instance_type: str) -> bool:
        """Tells whether a price is wanted."""
        return (cloud, instance_type) in self.shapes and (cloud, region) in self.regions

    def regions_of(self, cloud: str, region: str, instance_type: str) -> Iterator[str]:
        """Yields the regions of the book that a price of a region belongs to.

        A book may have one price for all regions of a cloud, which it calls "any".
        """
        for name in dict.fromkeys((region, ANY_REGION)):
            if self.takes(cloud, name, instance_type):
                yield name

    def cloud_of(self, name: str) -> str:
        """Returns the cloud of a file that does not name its own.

        Raises:
            SourceError: It was not given.
        """
        if not self.cloud:
            msg = (
                f"{name}: this kind of file does not say of which cloud its prices are. "
                "Add it, such as --cloud nebius"
            )
            raise SourceError(msg)
        return self.cloud

    def day(self, name: str) -> date:
        """Returns the day of a file that does not state its own.

        Raises:
            SourceError: It was not given.
        """
        if self.as_of is None:
            msg = (
                f"{name}: this kind of file does not say of which day its prices are. "
                "Add the day on which you fetched it, such as --as-of 2026-11-25"
            )
            raise SourceError(msg)
        return self.as_of


@dataclass(frozen=True, slots=True)
class Listing:
    """The wanted prices of one file.

    Attributes:
        name: Name of the file.
        kind: Kind of the file.
        prices: What was taken from it.
        whole: Whether it lists all that its source sells in a region: what it lacks is gone.
    """

    name: str
    kind: str
    prices: tuple[Price, ...]
    whole: bool


def table_rows(
    stream: TextIO, name: str, columns: Sequence[str]
) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Returns the rows of a CSV file by column, each with its place, for messages.

    Args:
        stream: The file from its beginning.
        name: Name of the file.
        columns: Those that must be there; further ones are read, too.

    Raises:
        SourceError: A column is missing.
        csv.Error: The file is not CSV; of a row when it is read.
    """
    rows = csv.DictReader(stream)
    missing = [column for column in columns if column not in (rows.fieldnames or ())]
    if missing:
        msg = f"{name}, line 1: no column {', '.join(missing)}; needed: {', '.join(columns)}"
        raise SourceError(msg)
    return ((f"{name}, line {rows.line_num}", row) for row in rows)


def member_items(stream: TextIO, name: str, member: str) -> Iterator[tuple[str, Any]]:
    """Yields the items of a list that is a member of a JSON object, each with its place.

    Args:
        stream: The file from its beginning.
        name: Name of the file.
        member: Key of the list.

    Raises:
        JsonStreamError: The file is not JSON.
    """
    for entry in entries(stream, {(), (member,)}):
        if entry.path == (member, "*"):
            yield f"{name}, line {entry.line}", entry.value


def node_price(  # noqa: PLR0913  # the parts of an identifier, and where it stands
    where: str,
    *,
    cloud: str,
    region: str,
    instance_type: str,
    purchase: str,
    usd: object,
    source: str,
    as_of: date,
) -> Price:
    """Makes the price of a machine from a field of a file.

    Args:
        where: File and line, for the message.
        cloud: Such as "aws".
        region: The cloud's name for it.
        instance_type: The cloud's name for it.
        purchase: "on-demand" or "spot".
        usd: USD an hour, as a number or as text.
        source: Where the figure is from.
        as_of: Day on which it was true.

    Raises:
        SourceError: The amount is not a price.
    """
    identifier = f"node/{cloud}/{region}/{instance_type}/{purchase}"
    return list_price(where, identifier, usd, unit="node-hour", source=source, as_of=as_of)


def list_price(  # noqa: PLR0913  # what a price is, and where it stands
    where: str,
    identifier: str,
    usd: object,
    *,
    unit: str,
    source: str,
    as_of: date,
    times: Decimal = Decimal(1),
) -> Price:
    """Makes a price from a field of a file.

    Args:
        where: File and line, for the message.
        identifier: What is bought.
        usd: USD, as a number or as text.
        unit: What one unit is.
        source: Where the figure is from.
        as_of: Day on which it was true.
        times: What the amount is multiplied by.

    Raises:
        SourceError: The amount is not a price.
    """
    amount = _amount(usd)
    if amount is None:
        msg = f'{where}: {identifier} costs "{usd}"; allowed: USD per {unit}, 0 to below 10^9'
        raise SourceError(msg)
    return Price(
        identifier=identifier,
        usd=(amount * times).quantize(_SMALLEST).normalize() if times != 1 else amount,
        unit=unit,
        source=source,
        as_of=as_of,
        confidence="list",
    )


def dearest(prices: Iterable[Price]) -> Iterator[Price]:
    """Yields each identifier once, with the dearest of its prices, in the order they came."""
    highest: dict[str, Price] = {}
    for price in prices:
        known = highest.get(price.identifier)
        if known is None or price.usd > known.usd:
            highest[price.identifier] = price
    yield from highest.values()


def _amount(usd: object) -> Decimal | None:
    """Reads an amount that the price book's format can hold; None for any other."""
    try:
        amount = Decimal(str(usd))
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 <= amount < _BEYOND:
        return None
    return amount.quantize(_SMALLEST).normalize()


def parse_day(where: str, text: object) -> date:
    """Reads a day, or the day of a time, in ISO 8601.

    Raises:
        SourceError: It is not a day.
    """
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        msg = f'{where}: found "{text}"; allowed: a day such as 2026-07-20'
        raise SourceError(msg) from None
