"""Pages of the Azure Retail Prices API, saved as JSON.

Fields as its documentation describes them: `Items`, each with armRegionName, armSkuName, type,
currencyCode, unitOfMeasure, productName, skuName and retailPrice. Taken is Linux by consumption, on
demand and spot. A page does not say when it was fetched: its effectiveStartDate is the day from
which a price has held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TextIO

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
    day = selection.day(name)
    for entry in entries(stream, {(), ("Items",)}):
        item = entry.value
        if entry.path != ("Items", "*") or not isinstance(item, dict):
            continue
        region, instance_type = str(item.get("armRegionName")), str(item.get("armSkuName"))
        if not _is_plain(item) or not selection.takes("azure", region, instance_type):
            continue
        where = f"{name}, line {entry.line}"
        if item.get("currencyCode") != "USD":
            msg = f'{where}: {instance_type} in "{item.get("currencyCode")}"; allowed: USD'
            raise SourceError(msg)
        yield node_price(
            where,
            cloud="azure",
            region=region,
            instance_type=instance_type,
            purchase="spot" if str(item.get("skuName")).endswith(" Spot") else "on-demand",
            usd=item.get("retailPrice"),
            source=SOURCE,
            as_of=day,
        )


def _is_plain(item: Mapping[str, Any]) -> bool:
    return (
        all(item.get(name) == plain for name, plain in _PLAIN.items())
        and not str(item.get("productName")).endswith(" Windows")
        and not str(item.get("skuName")).endswith(" Low Priority")
    )
