"""Pages of the Azure Retail Prices API, saved as JSON.

Fields as its documentation describes them: `Items`, each with serviceName, armRegionName,
armSkuName, type, reservationTerm, currencyCode, unitOfMeasure, tierMinimumUnits, productName,
skuName, meterName, retailPrice and effectiveStartDate. A page does not say when it was fetched;
effectiveStartDate is the day from which a price holds, which may be to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from breakeven.catalog.importers.azure_charges import charges_of
from breakeven.catalog.importers.in_force import InForce, start_day
from breakeven.catalog.importers.listing import Selection, SourceError, list_price, member_items
from breakeven.catalog.price import Price

SOURCE = "Azure Retail Prices API"


def is_page(head: str) -> bool:
    """Tells by its beginning whether a file is such a page."""
    return head.lstrip().startswith("{") and '"BillingCurrency"' in head and '"Items"' in head


def read(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of a page.

    Raises:
        SourceError: The day of fetching was not given, or a price is none or in another currency.
        JsonStreamError: The file is no JSON.
    """
    return prices_of(member_items(stream, name, "Items"), name, selection)


def prices_of(items: Iterable[tuple[str, Any]], name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of the items of any number of pages.

    Args:
        items: Each with its place, for messages.
        name: Name of the list, for messages.
        selection: What is wanted.

    Raises:
        SourceError: As `read`.
    """
    day = selection.day(name)
    found = InForce()
    for where, item in items:
        for charge in charges_of(item, selection) if isinstance(item, dict) else ():
            if item.get("currencyCode") != "USD":
                msg = f'{where}: {charge.identifier} in "{item.get("currencyCode")}"; allowed: USD'
                raise SourceError(msg)
            price = list_price(
                where,
                charge.identifier,
                item.get("retailPrice"),
                unit=charge.unit,
                source=SOURCE,
                as_of=day,
                times=charge.times,
            )
            found.offer(price, start_day(where, item.get("effectiveStartDate")))
    yield from found.prices()
