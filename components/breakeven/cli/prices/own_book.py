"""Writes the user's own price files: the differences from the included book."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from breakeven.catalog.importers.merge import Change
from breakeven.catalog.price import Price
from breakeven.catalog.price_file import NOT_SOLD, forget, read_book, read_prices
from breakeven.catalog.price_regions import MACHINES, cloud_of
from breakeven.catalog.price_rows import prices_text
from breakeven.cli.files import write_whole
from breakeven.errors import UserError


class OwnBookError(UserError):
    """Cannot write the user's own prices."""


def write_own(folder: Path, after: Mapping[str, Price], found: Iterable[Change]) -> Iterator[Path]:
    """Writes the differences from the included book: one file for each cloud with differences.

    Args:
        folder: Target folder; created if missing.
        after: All prices after the refresh.
        found: The changes, so that prices removed from a list stay removed.

    Yields:
        Each file that was written.

    Raises:
        OwnBookError: The folder cannot be created.
        OutputError: A file cannot be written.
    """
    shipped = read_book().prices
    own: dict[str, list[Price]] = {}
    for identifier, price in after.items():
        if price.private or shipped.get(identifier) != price:
            own.setdefault(cloud_of(identifier), []).append(price)
    for change in found:
        if change.before is not None and change.after is None and change.identifier in shipped:
            gone = replace(change.before, as_of=datetime.now(tz=UTC).date(), terms=NOT_SOLD)
            own.setdefault(cloud_of(change.identifier), []).append(gone)
    for price in _still_gone(folder, after):
        own.setdefault(cloud_of(price.identifier), []).append(price)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        msg = f"--output {folder}: {reason}. Allowed: a folder. Nothing was changed"
        raise OwnBookError(msg) from None
    for cloud, prices in sorted(own.items()):
        path = folder / f"{cloud}.csv"
        write_whole(path, prices_text(prices))
        yield path
    forget()


def _still_gone(folder: Path, after: Mapping[str, Price]) -> Iterator[Price]:
    """Yields prices that an earlier refresh removed and that have not returned."""
    for path in sorted(folder.glob("*.csv")):
        if path.name != MACHINES:
            yield from (
                price
                for price in read_prices(path).values()
                if price.terms == NOT_SOLD and price.identifier not in after
            )
