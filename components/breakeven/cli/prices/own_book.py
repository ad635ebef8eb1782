"""Writes the user's own price files: what the shipped book does not say."""

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
    """The user's own prices can't be written."""


def write_own(folder: Path, after: Mapping[str, Price], found: Iterable[Change]) -> Iterator[Path]:
    """Writes what the shipped book does not say: one file for each cloud that has such prices.

    Args:
        folder: Where to; it is made if it is not there.
        after: All prices as they should be.
        found: What changed, so that what is gone from a price list stays gone.

    Yields:
        Each file that was written.

    Raises:
        OwnBookError: The folder can't be made.
        OutputError: A file can't be written.
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
    """Yields what an earlier refresh found to be gone, and nothing has brought back."""
    for path in sorted(folder.glob("*.csv")):
        if path.name != MACHINES:
            yield from (
                price
                for price in read_prices(path).values()
                if price.terms == NOT_SOLD and price.identifier not in after
            )
