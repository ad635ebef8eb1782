"""Merges outside prices into a book: newer wins, own entries stay, each change is accounted for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from breakeven.catalog.importers.listing import Listing
from breakeven.catalog.price import Price

LARGE_PERCENT = 50
"""A change of a price on demand beyond this is more often a misread list than a price."""

Verb: TypeAlias = Literal["new", "changed", "gone"]

_Scope: TypeAlias = tuple[str, str, str, str]
"""Source, cloud, region and purchase."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one price.

    Attributes:
        verb: What happened.
        before: The book's price; None for a new one.
        after: The price now; None for one that is gone.
    """

    verb: Verb
    before: Price | None
    after: Price | None

    @property
    def identifier(self) -> str:
        """What is bought."""
        price = self.after or self.before
        return price.identifier if price else ""

    @property
    def percent(self) -> Decimal | None:
        """By how much a price changed; None for new, for gone, and from nothing to something."""
        if self.before is None or self.after is None or not self.before.usd:
            return None
        return (self.after.usd - self.before.usd) / self.before.usd * 100

    @property
    def large(self) -> bool:
        """Whether a price changed beyond `LARGE_PERCENT`, or from nothing to something.

        A spot price may: it follows what is free.
        """
        if self.verb != "changed" or self.identifier.endswith("/spot"):
            return False
        return self.percent is None or abs(self.percent) > LARGE_PERCENT


def merged(book: Mapping[str, Price], listings: Iterable[Listing]) -> dict[str, Price]:
    """Returns the book's prices with those of the files.

    Of two prices the newer wins; of two of the same day the dearer, then the source later in the
    alphabet, so that the order of the files does not matter and merging twice changes nothing.
    What is private stays. What a whole and newer list of the same source no longer has is gone.
    """
    listings = tuple(listings)
    offered: dict[str, list[Price]] = {}
    for price in (*book.values(), *(price for item in listings for price in item.prices)):
        offered.setdefault(price.identifier, []).append(price)
    lists = _whole_lists(listings)
    result: dict[str, Price] = {}
    for identifier, prices in offered.items():
        private = [price for price in prices if price.private]
        current = private or [price for price in prices if not _is_gone(price, lists)]
        if current:
            result[identifier] = max(current, key=_rank)
    return result


def changes(before: Mapping[str, Price], after: Mapping[str, Price]) -> tuple[Change, ...]:
    """Returns new, changed and gone prices, by identifier; a newer day alone does not count."""
    found: list[Change] = []
    for identifier in sorted({*before, *after}):
        old, new = before.get(identifier), after.get(identifier)
        if old is None:
            found.append(Change("new", None, new))
        elif new is None:
            found.append(Change("gone", old, None))
        elif old.usd != new.usd:
            found.append(Change("changed", old, new))
    return tuple(found)


def _rank(price: Price) -> tuple[date, Decimal, str]:
    return price.as_of, price.usd, price.source


def _is_node(price: Price) -> bool:
    return price.identifier.startswith("node/")


def _scope(price: Price) -> _Scope:
    _, cloud, region, _, purchase = price.identifier.split("/")
    return price.source, cloud, region, purchase


def _whole_lists(listings: Iterable[Listing]) -> dict[_Scope, list[tuple[date, set[str]]]]:
    lists: dict[_Scope, list[tuple[date, set[str]]]] = {}
    for listing in listings:
        if not listing.whole:
            continue
        scopes: dict[_Scope, tuple[date, set[str]]] = {}
        for price in filter(_is_node, listing.prices):
            scopes.setdefault(_scope(price), (price.as_of, set()))[1].add(price.identifier)
        for scope, group in scopes.items():
            lists.setdefault(scope, []).append(group)
    return lists


def _is_gone(price: Price, lists: Mapping[_Scope, list[tuple[date, set[str]]]]) -> bool:
    return _is_node(price) and any(
        price.as_of < day and price.identifier not in identifiers
        for day, identifiers in lists.get(_scope(price), ())
    )
