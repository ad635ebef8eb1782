"""What all rows of a table of prices have in common, and which of several rows is taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from breakeven.catalog.price import Price

_OPEN_LICENSES = frozenset({"Apache-2.0", "MIT", "MPL-2.0", "CC-BY-4.0"})

_SAME_TIME_DAYS = 45
"""Two sources of this time that differ disagree; farther apart the price has changed."""

_ALSO_SEEN = "; also seen: "


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that the book cannot hold.

    Attributes:
        row: What it is about.
        reason: Why, in words.
    """

    row: str
    reason: str


def terms_of(license_text: str) -> str:
    """Returns the terms of a row: its license, or "quoted" for a single published list price."""
    return license_text if license_text in _OPEN_LICENSES else "quoted"


def day_of(text: str) -> date:
    """Reads a day; a month alone counts as its first day, so that it is never too young."""
    return date.fromisoformat(text if text.count("-") > 1 else f"{text}-01")


def priced(
    row: Mapping[str, str], identifier: str, usd: Decimal, unit: str, detail: str = ""
) -> Price:
    """Returns the price of a row.

    Args:
        row: With as_of, source, license and note.
        identifier: What is bought.
        usd: US dollars for one unit.
        unit: What one unit is.
        detail: How the amount follows from that of the row; empty where it is the same.
    """
    parts = [row["source"], detail, row["note"]]
    return Price(
        identifier=identifier,
        usd=usd,
        unit=unit,
        source="; ".join(part for part in parts if part),
        as_of=day_of(row["as_of"]),
        confidence="list",
        terms=terms_of(row["licence"]),
    )


def newest(prices: Iterable[Price]) -> Iterator[Price]:
    """Yields one price for each identifier: the newest, of one day the dearest.

    Where another source of the same time says something else, the price says so.
    """
    by_identifier: dict[str, list[Price]] = {}
    for price in prices:
        by_identifier.setdefault(price.identifier, []).append(price)
    for _, offered in sorted(by_identifier.items()):
        offered.sort(key=lambda price: (price.as_of, price.usd, price.source))
        yield _with_disagreement(offered[-1], offered[:-1])


def _with_disagreement(taken: Price, others: Iterable[Price]) -> Price:
    source, _, seen = taken.source.partition(_ALSO_SEEN)
    different = {text for text in seen.split("; ") if text} | {
        f"{other.usd.normalize():f} by {other.source.partition(';')[0]} of {other.as_of}"
        for other in others
        if abs(other.usd - taken.usd) > taken.usd / 100
        and (taken.as_of - other.as_of).days <= _SAME_TIME_DAYS
    }
    if not different:
        return taken
    return replace(taken, source=source + _ALSO_SEEN + "; ".join(sorted(different)))
