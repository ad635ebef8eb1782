"""The offer file of Amazon EC2 from the AWS Price List Bulk API, as JSON or CSV.

Fields as its guide describes them ("Reading the service price list file"): products by SKU, then
their terms; in CSV five lines about the file, then a header. Taken is Linux on demand on shared
hardware, without further software: the price that a node without other agreement has.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, TextIO

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


def read_json(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of an offer in JSON, at constant memory.

    Raises:
        SourceError: The file has no publication date, or a price that is none.
        JsonStreamError: The file is no JSON.
    """
    day: date | None = None
    wanted: dict[str, tuple[str, str]] = {}
    for entry in entries(stream, _ENTERED):
        where = f"{name}, line {entry.line}"
        if entry.path == ("publicationDate",):
            day = parse_day(where, entry.value)
        elif entry.path[:1] == ("products",):
            _note_product(entry, selection, wanted)
        elif entry.path[:2] == ("terms", "OnDemand") and entry.path[-1] in wanted:
            region, instance_type = wanted[entry.path[-1]]
            for usd in _hourly(entry.value):
                yield _price(where, region, instance_type, usd, day)


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
    needed = (*_COLUMNS.values(), "TermType", "Unit", "PricePerUnit", "Currency")
    missing = [column for column in needed if column not in header]
    if missing:
        msg = f"{name}: no column {', '.join(missing)} below the lines about the file"
        raise SourceError(msg)
    for row in lines:
        values = dict(zip(header, row, strict=False))
        product = {attribute: values.get(column) for attribute, column in _COLUMNS.items()}
        on_demand = (values.get("TermType"), values.get("Unit"), values.get("Currency"))
        if on_demand == ("OnDemand", "Hrs", "USD") and _is_wanted(product, selection):
            where = f"{name}, line {lines.line_num}"
            region, instance_type = str(product["regionCode"]), str(product["instanceType"])
            yield _price(where, region, instance_type, values["PricePerUnit"], day)


def _note_product(entry: Entry, selection: Selection, wanted: dict[str, tuple[str, str]]) -> None:
    product = entry.value if isinstance(entry.value, dict) else {}
    attributes = product.get("attributes")
    if isinstance(attributes, dict) and _is_wanted(attributes, selection):
        wanted[entry.path[-1]] = (attributes["regionCode"], attributes["instanceType"])


def _is_wanted(product: Mapping[str, Any], selection: Selection) -> bool:
    return all(product.get(name) == plain for name, plain in _PLAIN.items()) and selection.takes(
        "aws", str(product.get("regionCode")), str(product.get("instanceType"))
    )


def _hourly(terms: object) -> Iterator[object]:
    """Yields what an hour costs, from the terms of one SKU."""
    for term in _values(terms):
        for dimension in _values(term.get("priceDimensions")):
            per_unit = dimension.get("pricePerUnit")
            if dimension.get("unit") == "Hrs" and isinstance(per_unit, dict) and "USD" in per_unit:
                yield per_unit["USD"]


def _values(mapping: object) -> Iterator[dict[str, Any]]:
    if isinstance(mapping, dict):
        yield from (value for value in mapping.values() if isinstance(value, dict))


def _price(where: str, region: str, instance_type: str, usd: object, day: date | None) -> Price:
    if day is None:
        msg = f"{where}: a price before the publication date of the file"
        raise SourceError(msg)
    return node_price(
        where,
        cloud="aws",
        region=region,
        instance_type=instance_type,
        purchase="on-demand",
        usd=usd,
        source=SOURCE,
        as_of=day,
    )
