"""The price book as files: one price a line, sorted, so that a refresh can be reviewed as a diff.

A folder holds one CSV file for each cloud, and `machines.csv` with what the machine types have.
Lines of the shipped book are checked when they are asked for, because an estimate needs a few of
thousands; `breakeven prices check` and the tests check all. Lines of a user's own book are checked
when the file is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.price import Price
from breakeven.catalog.price_regions import MACHINES, SHIPPED, cloud_of
from breakeven.catalog.price_rows import (
    MACHINE_COLUMNS,
    PRICE_COLUMNS,
    PriceFileError,
    lines_of,
    price_of,
    shape_of,
)

NOT_SOLD = "not-sold"
"""Terms of a line of a user's own book for what a newer price list no longer has: no price then."""

_MOST_FAULTS = 20
"""Mistakes of a file that one message names."""


class CloudPrices(Mapping[str, Price]):
    """The prices of one cloud, each read from its line when it is asked for."""

    def __init__(self, path: Path, lines: Mapping[str, str]) -> None:
        self._path = path
        self._lines = lines

    def __getitem__(self, identifier: str) -> Price:
        """Returns a price.

        Raises:
            KeyError: There is none.
            PriceFileError: Its line is damaged.
        """
        return price_of(self._path, self._lines[identifier], self._number(identifier))

    def __iter__(self) -> Iterator[str]:
        """Yields the identifiers in the order of the file."""
        return iter(self._lines)

    def __len__(self) -> int:
        """Returns how many prices there are."""
        return len(self._lines)

    def check(self) -> None:
        """Reads every line.

        Raises:
            PriceFileError: Lines are damaged; the message names them.
        """
        faults = []
        for identifier in self._lines:
            try:
                self[identifier]
            except PriceFileError as error:
                faults.append(str(error))
        if faults:
            more = len(faults) - _MOST_FAULTS
            shown = [*faults[:_MOST_FAULTS], *([f"and {more} more"] if more > 0 else [])]
            raise PriceFileError(self._path, "\n  ".join(shown).removeprefix(self._path.name))

    def _number(self, identifier: str) -> Callable[[], int]:
        """Returns what counts the line of a price; only a message needs it."""
        return lambda: [*self._lines].index(identifier) + 2


class BookPrices(Mapping[str, Price]):
    """All prices of a shipped book and of a user's own over it; reads a cloud when it is needed.

    Of two prices for the same the user's own wins if it is private or not older.
    """

    def __init__(self, shipped: Path, own: Path | None) -> None:
        self._shipped = shipped
        self._own = own

    def of_cloud(self, cloud: str) -> Iterator[str]:
        """Yields the identifiers of a cloud's prices, each once."""
        shipped, own = self._tables(cloud)
        gone = {name for name in own if self._is_gone(name, shipped, own)}
        yield from (name for name in shipped if name not in gone)
        yield from (name for name in own if name not in shipped and name not in gone)

    def __getitem__(self, identifier: str) -> Price:
        """Returns a price.

        Raises:
            KeyError: There is none.
            PriceFileError: Its line is damaged.
        """
        shipped, own = self._tables(cloud_of(identifier))
        if identifier not in own:
            return shipped[identifier]
        mine = own[identifier]
        if not self._is_newest(mine, shipped.get(identifier)):
            return shipped[identifier]
        if mine.terms == NOT_SOLD:
            raise KeyError(identifier)
        return mine

    def __contains__(self, identifier: object) -> bool:
        """Tells whether there is such a price, without reading its line."""
        if not isinstance(identifier, str):
            return False
        shipped, own = self._tables(cloud_of(identifier))
        if identifier in own:
            return not self._is_gone(identifier, shipped, own)
        return identifier in shipped

    def __iter__(self) -> Iterator[str]:
        """Yields every identifier."""
        for cloud in self.clouds:
            yield from self.of_cloud(cloud)

    def __len__(self) -> int:
        """Returns how many prices there are."""
        return sum(1 for _ in self)

    @property
    def clouds(self) -> tuple[str, ...]:
        """Names of the clouds that have prices, sorted."""
        folders = [self._shipped, *([self._own] if self._own else [])]
        return tuple(
            sorted(
                {
                    path.stem
                    for folder in folders
                    for path in folder.glob("*.csv")
                    if path.name != MACHINES
                }
            )
        )

    def _is_gone(
        self, identifier: str, shipped: Mapping[str, Price], own: Mapping[str, Price]
    ) -> bool:
        mine = own[identifier]
        return mine.terms == NOT_SOLD and self._is_newest(mine, shipped.get(identifier))

    def _is_newest(self, mine: Price, theirs: Price | None) -> bool:
        return theirs is None or mine.private or mine.as_of >= theirs.as_of

    def _tables(self, cloud: str) -> tuple[Mapping[str, Price], Mapping[str, Price]]:
        own = {} if self._own is None else _own_prices(self._own / f"{cloud}.csv")
        return _listed_prices(self._shipped / f"{cloud}.csv"), own


@dataclass(frozen=True, slots=True)
class BookFile:
    """What a price book holds.

    Attributes:
        prices: Prices by identifier.
        shapes: Machine types by cloud and type.
    """

    prices: Mapping[str, Price]
    shapes: Mapping[tuple[str, str], NodeShape]

    @property
    def regions(self) -> frozenset[tuple[str, str]]:
        """Cloud and region of every price of a machine."""
        parts = (identifier.split("/") for identifier in self.prices)
        return frozenset((part[1], part[2]) for part in parts if part[0] == "node")

    def regions_of(self, cloud: str) -> tuple[str, ...]:
        """Returns the regions of a cloud where a machine has a price, sorted."""
        parts = (identifier.split("/") for identifier in of_cloud(self.prices, cloud))
        return tuple(sorted({part[2] for part in parts if part[0] == "node"}))


def of_cloud(prices: Mapping[str, Price], cloud: str) -> Iterator[str]:
    """Returns the identifiers of a cloud's prices; of a whole book without reading other clouds."""
    if isinstance(prices, BookPrices):
        return prices.of_cloud(cloud)
    return (identifier for identifier in prices if cloud_of(identifier) == cloud)


def read_book(shipped: Path = SHIPPED, own: Path | None = None) -> BookFile:
    """Returns a price book.

    Args:
        shipped: Folder of the book that the package ships.
        own: Folder of the user's own prices and machine types, which may be absent.

    Raises:
        PriceFileError: The machine types or the user's own prices are damaged. Shipped prices are
            read when they are asked for.
    """
    shapes = _machines(shipped / MACHINES)
    for path in sorted(own.glob("*.csv")) if own is not None else ():
        if path.name == MACHINES:
            shapes = {**shapes, **_machines(path)}
        else:
            _own_prices(path)
    return BookFile(BookPrices(shipped, own), shapes)


def check_all(book: BookFile) -> None:
    """Reads every price.

    Raises:
        PriceFileError: A line is damaged; the message names it.
    """
    for identifier in book.prices:
        book.prices[identifier]


def forget() -> None:
    """Forgets all files that were read, after one was written."""
    for cached in (_listed_prices, _machines, _own_prices):
        cached.cache_clear()


def read_prices(path: Path) -> CloudPrices:
    """Returns the prices of one file; no line but the first is checked.

    Raises:
        PriceFileError: It is not such a file, or a price appears twice.
    """
    lines: dict[str, str] = {}
    for number, line in enumerate(lines_of(path, PRICE_COLUMNS), start=2):
        identifier = line.partition(",")[0]
        if identifier in lines:
            raise PriceFileError(path, f", line {number}: {identifier} appears twice")
        lines[identifier] = line
    return CloudPrices(path, lines)


@cache
def _listed_prices(path: Path) -> Mapping[str, Price]:
    return read_prices(path) if path.is_file() else {}


@cache
def _own_prices(path: Path) -> Mapping[str, Price]:
    if not path.is_file():
        return {}
    prices = read_prices(path)
    prices.check()
    for identifier in prices:
        if cloud_of(identifier) != path.stem:
            msg = f": {identifier} is of {cloud_of(identifier)}; allowed: prices of {path.stem}"
            raise PriceFileError(path, msg)
    return prices


@cache
def _machines(path: Path) -> Mapping[tuple[str, str], NodeShape]:
    shapes: dict[tuple[str, str], NodeShape] = {}
    for number, line in enumerate(lines_of(path, MACHINE_COLUMNS), start=2):
        shape = shape_of(path, line, number)
        key = (shape.cloud, shape.instance_type)
        if key in shapes:
            raise PriceFileError(path, f', line {number}, "{key[1]}": it appears twice')
        shapes[key] = shape
    return shapes
