"""Pages of the Azure Retail Prices API, saved as JSON.

Fields as its documentation describes them: `Items`, each with armRegionName, armSkuName, type,
currencyCode, unitOfMeasure, tierMinimumUnits, productName, skuName, retailPrice and
effectiveStartDate. Taken is Linux by consumption, on demand and spot. A page does not say when it
was fetched; effectiveStartDate is the day from which a price holds, which may be to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TextIO

from breakeven.catalog.importers.in_force import InForce, start_day
from breakeven.catalog.importers.listing import Selection, SourceError, node_price
from breakeven.catalog.price import Price
from breakeven.json_stream import entries

SOURCE = "Azure Retail Prices API"

_PLAIN = {
    "serviceName": "Virtual Machines",
    "type": "Consumption",
    "unitOfMeasure": "1 Hour",
}


def is_page(head: str) -> bool:
    """Tells by its beginning whether a file is such a page."""
    return head.lstrip().startswith("{") and '"BillingCurrency"' in head and '"Items"' in head


def read(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of a page.

    Raises:
        SourceError: The day of fetching was not given, or a price is none or in another currency.
        JsonStreamError: The file is no JSON.
    """
    found = (
        (f"{name}, line {entry.line}", entry.value)
        for entry in entries(stream, {(), ("Items",)})
        if entry.path == ("Items", "*")
    )
    return prices_of(found, name, selection)


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
        if not isinstance(item, dict) or not _is_plain(item):
            continue
        region, instance_type = str(item.get("armRegionName")), str(item.get("armSkuName"))
        if not selection.takes("azure", region, instance_type):
            continue
        if item.get("currencyCode") != "USD":
            msg = f'{where}: {instance_type} in "{item.get("currencyCode")}"; allowed: USD'
            raise SourceError(msg)
        price = node_price(
            where,
            cloud="azure",
            region=region,
            instance_type=instance_type,
            purchase="spot" if str(item.get("skuName")).endswith(" Spot") else "on-demand",
            usd=item.get("retailPrice"),
            source=SOURCE,
            as_of=day,
        )
        found.offer(price, start_day(where, item.get("effectiveStartDate")))
    yield from found.prices()


def _is_plain(item: Mapping[str, Any]) -> bool:
    return (
        all(item.get(name) == plain for name, plain in _PLAIN.items())
        and not item.get("tierMinimumUnits")
        and not str(item.get("productName")).endswith(" Windows")
        and not str(item.get("skuName")).endswith(" Low Priority")
    )
