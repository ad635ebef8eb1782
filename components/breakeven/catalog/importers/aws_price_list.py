"""Amazon EC2 in the AWS Price List: the bulk API's offer file (JSON, CSV), or `get-products`.

Fields as its guide describes them ("Reading the service price list file"): products by SKU, then
their terms; in CSV five lines about the file, then a header. `aws pricing get-products` prints some
products, each with its terms and as a text of its own. Taken is Linux on demand on shared hardware,
without further software: the price that a node without other agreement has. A term counts from its
effectiveDate on.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, TextIO

from breakeven.catalog.importers.in_force import InForce, start_day
from breakeven.catalog.importers.listing import Selection, SourceError, node_price, parse_day
from breakeven.catalog.price import Price
from breakeven.json_stream import Entry, entries

SOURCE = "AWS Price List, AmazonEC2"

_ENTERED = {(), ("products",), ("terms",), ("terms", "OnDemand"), ("terms", "Reserved")}

_PLAIN = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "capacitystatus": "Used",
    "preInstalledSw": "NA",
    "operation": "RunInstances",
    "marketoption": "OnDemand",
}

_COLUMNS = {
    "operatingSystem": "Operating System",
    "tenancy": "Tenancy",
    "capacitystatus": "CapacityStatus",
    "preInstalledSw": "Pre Installed S/W",
    "operation": "operation",
    "marketoption": "MarketOption",
    "instanceType": "Instance Type",
    "regionCode": "Region Code",
}
"""Columns of the CSV by the attribute of the JSON."""


def is_json(head: str) -> bool:
    """Tells by its beginning whether a file is the offer of EC2 in JSON."""
    return head.lstrip().startswith("{") and '"AmazonEC2"' in head and '"offerCode"' in head


def is_csv(head: str) -> bool:
    """Tells by its beginning whether a file is the offer of EC2 in CSV."""
    return head.startswith('"FormatVersion"') and '"AmazonEC2"' in head


def is_products(head: str) -> bool:
    """Tells by its beginning whether a file is the answer of `aws pricing get-products`."""
    return (
        head.lstrip().startswith(("{", "["))
        and "AmazonEC2" in head
        and "serviceCode" in head
        and "offerCode" not in head
    )


def read_products(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of an answer of `aws pricing get-products`.

    Its PriceList holds products as texts; a list that a JSON tool made of them is taken too.

    Raises:
        SourceError: A product is not JSON, has no publication date, or its price is not an amount.
        JsonStreamError: The file is not JSON.
    """
    found = InForce()
    for entry in entries(stream, {(), ("PriceList",)}):
        if entry.path not in {("PriceList", "*"), ("*",)}:
            continue
        where = f"{name}, line {entry.line}"
        item = _product(entry.value, where)
        attributes = (item.get("product") or {}).get("attributes")
        if isinstance(attributes, dict) and _is_wanted(attributes, selection):
            day = parse_day(where, item.get("publicationDate"))
            for terms in _values((item.get("terms") or {}).get("OnDemand")):
                _offer(
                    found, where, (attributes["regionCode"], attributes["instanceType"]), terms, day
                )
    yield from found.prices()


def _product(value: object, where: str) -> dict[str, Any]:
    try:
        item = json.loads(value, parse_float=str) if isinstance(value, str) else value
    except ValueError as error:
        msg = f"{where}: a product is not JSON, {error}"
        raise SourceError(msg) from None
    if not isinstance(item, dict):
        msg = (
            f"{where}: found {item!r:.60}; needed: products as aws pricing get-products prints them"
        )
        raise SourceError(msg)
    return item


def read_json(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of an offer in JSON, at constant memory.

    Raises:
        SourceError: The file has no publication date, or a price that is none.
        JsonStreamError: The file is no JSON.
    """
    day: date | None = None
    wanted: dict[str, tuple[str, str]] = {}
    found = InForce()
    for entry in entries(stream, _ENTERED):
        where = f"{name}, line {entry.line}"
        if entry.path == ("publicationDate",):
            day = parse_day(where, entry.value)
        elif entry.path[:1] == ("products",):
            _note_product(entry, selection, wanted)
        elif entry.path[:2] == ("terms", "OnDemand") and entry.path[-1] in wanted:
            for term in _values(entry.value):
                _offer(found, where, wanted[entry.path[-1]], term, day)
    yield from found.prices()


def read_csv(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of an offer in CSV, at constant memory.

    Raises:
        SourceError: The file has no publication date or a column is missing, or a price is none.
        csv.Error: The file is no CSV.
    """
    day: date | None = None
    lines = csv.reader(stream)
    header: list[str] = []
    for row in lines:
        if row[:1] == ["Publication Date"] and len(row) > 1:
            day = parse_day(f"{name}, line {lines.line_num}", row[1])
        elif row[:1] == ["SKU"]:
            header = row
            break
    needed = (*_COLUMNS.values(), "TermType", "Unit", "PricePerUnit", "Currency", "EffectiveDate")
    missing = [column for column in needed if column not in header]
    if missing:
        msg = f"{name}: no column {', '.join(missing)} below the lines about the file"
        raise SourceError(msg)
    found = InForce()
    for row in lines:
        values = dict(zip(header, row, strict=False))
        on_demand = (values.get("TermType"), values.get("Unit"), values.get("Currency"))
        if on_demand != ("OnDemand", "Hrs", "USD") or values.get("StartingRange", "0") != "0":
            continue
        product = {attribute: values.get(column) for attribute, column in _COLUMNS.items()}
        if _is_wanted(product, selection):
            where = f"{name}, line {lines.line_num}"
            machine = (str(product["regionCode"]), str(product["instanceType"]))
            price = _price(where, machine, values["PricePerUnit"], day)
            found.offer(price, start_day(where, values["EffectiveDate"]))
    yield from found.prices()


def _note_product(entry: Entry, selection: Selection, wanted: dict[str, tuple[str, str]]) -> None:
    product = entry.value if isinstance(entry.value, dict) else {}
    attributes = product.get("attributes")
    if isinstance(attributes, dict) and _is_wanted(attributes, selection):
        wanted[entry.path[-1]] = (attributes["regionCode"], attributes["instanceType"])


def _is_wanted(product: Mapping[str, Any], selection: Selection) -> bool:
    return all(product.get(name) == plain for name, plain in _PLAIN.items()) and selection.takes(
        "aws", str(product.get("regionCode")), str(product.get("instanceType"))
    )


def _offer(
    found: InForce, where: str, machine: tuple[str, str], term: Mapping[str, Any], day: date | None
) -> None:
    """Takes what an hour costs by one term of a SKU, from the first hour on."""
    start = start_day(where, term.get("effectiveDate"))
    for dimension in _values(term.get("priceDimensions")):
        per_unit = dimension.get("pricePerUnit")
        hourly = dimension.get("unit") == "Hrs" and dimension.get("beginRange", "0") == "0"
        if hourly and isinstance(per_unit, dict) and "USD" in per_unit:
            found.offer(_price(where, machine, per_unit["USD"], day), start)


def _values(mapping: object) -> Iterator[dict[str, Any]]:
    if isinstance(mapping, dict):
        yield from (value for value in mapping.values() if isinstance(value, dict))


def _price(where: str, machine: tuple[str, str], usd: object, day: date | None) -> Price:
    if day is None:
        msg = f"{where}: a price before the publication date of the file"
        raise SourceError(msg)
    return node_price(
        where,
        cloud="aws",
        region=machine[0],
        instance_type=machine[1],
        purchase="on-demand",
        usd=usd,
        source=SOURCE,
        as_of=day,
    )
