"""Prices of one's own that nothing is priced by, so that a typing mistake is seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from components.cost.near import near_names
from components.cost.price import PriceMissingError
from components.cost.price_book import PriceBook
from components.settings_types import Settings

_PURCHASES = ("on-demand", "spot", "reserved")


def override_notes(settings: Settings, today: date) -> Iterator[str]:
    """Yields a sentence for each stated price of a machine that neither book nor stack knows.

    What the book has may be stated for another stack's sake, and any purchase of the stack's own
    machines for a comparison; another machine's price is a mistake, or left over.

    Args:
        settings: The stack's settings.
        today: Day on which prices are looked up.
    """
    book, own = PriceBook.load(today=today), _own(settings)
    for identifier in settings.prices.overrides:
        if not identifier.startswith("node/") or identifier in own:
            continue
        try:
            book.find(identifier)
        except PriceMissingError as missing:
            near = (*near_names(identifier, own), *missing.near)[:1]
            closest = f"; closest: {near[0]}" if near else ""
            yield f"priceOverrides states {identifier}, by which nothing here is priced{closest}."


def _own(settings: Settings) -> tuple[str, ...]:
    """The identifiers of the stack's own machines."""
    prices = settings.prices
    machines = dict.fromkeys((*settings.pool.instance_types, prices.system_instance_type))
    return tuple(
        f"node/{prices.cloud}/{prices.region}/{machine}/{purchase}"
        for machine in machines
        if machine
        for purchase in _PURCHASES
    )
