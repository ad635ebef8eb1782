"""The AWS Price List: an offer file of the bulk API (JSON, CSV), or `aws pricing get-products`.

Fields as its guide describes them ("Reading the service price list file"): products by SKU, then
their terms; in CSV five lines about the file, then a header, then a row for each term. `aws pricing
get-products` prints some products, each with its terms and as a text of its own. A term counts from
its effectiveDate on, and of tiers the first.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, TextIO

from breakeven.catalog.importers.aws_charges import Charge, charge_of, purchase_of
from breakeven.catalog.importers.in_force import InForce, start_day
from breakeven.catalog.importers.listing import Selection, SourceError, list_price, parse_day
from breakeven.catalog.price import Price
from breakeven.json_stream import entries

OFFERS = ("AmazonEC2", "AWSELB", "AmazonEFS", "AmazonEKS", "AmazonVPC")
"""Offers that have something to price."""

_TERMS = ("OnDemand", "Reserved")

_ENTERED = {(), ("products",), ("terms",), *(("terms", term) for term in _TERMS)}

_COLUMNS = {
    "operatingSystem": "Operating System",
    "tenancy": "Tenancy",
    "capacitystatus": "CapacityStatus",
    "preInstalledSw": "Pre Installed S/W",
    "operation": "operation",
    "marketoption": "MarketOption",
    "instanceType": "Instance Type",
    "regionCode": "Region Code",
    "productFamily": "Product Family",
    "usagetype": "usageType",
    "locationType": "Location Type",
}
"""Columns of the CSV by the attribute of the JSON. An offer has those that its products have."""

_NEEDED = ("SKU", "TermType", "EffectiveDate", "StartingRange", "Unit", "PricePerUnit", "Currency")
_TERM = ("TermType", "LeaseContractLength", "PurchaseOption", "OfferingClass")


def is_json(head: str) -> bool:
    """Tells by its beginning whether a file is an offer in JSON."""
    return head.lstrip().startswith("{") and '"offerCode"' in head and _has_offer(head)


def is_csv(head: str) -> bool:
    """Tells by its beginning whether a file is an offer in CSV."""
    return head.startswith('"FormatVersion"') and _has_offer(head)


def _has_offer(head: str) -> bool:
    return any(f'"{offer}"' in head for offer in OFFERS)


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
        charge = _charge(item.get("product"), selection)
        if charge:
            day = parse_day(where, item.get("publicationDate"))
            for kind in _TERMS:
                for term in _values((item.get("terms") or {}).get(kind)):
                    _offer(found, where, charge, kind, term, _source(item.get("serviceCode")), day)
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
    source = ""
    wanted: dict[str, Charge] = {}
    found = InForce()
    for entry in entries(stream, _ENTERED):
        where = f"{name}, line {entry.line}"
        if entry.path == ("publicationDate",):
            day = parse_day(where, entry.value)
        elif entry.path == ("offerCode",):
            source = _source(entry.value)
        elif entry.path[:1] == ("products",):
            charge = _charge(entry.value, selection)
            if charge:
                wanted[entry.path[-1]] = charge
        elif entry.path[:1] == ("terms",) and entry.path[-1] in wanted:
            for term in _values(entry.value):
                _offer(found, where, wanted[entry.path[-1]], entry.path[1], term, source, day)
    yield from found.prices()


def read_csv(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of an offer in CSV, at constant memory.

    Raises:
        SourceError: The file has no publication date or a column is missing, or a price is not an
            amount.
        csv.Error: The file is not CSV.
    """
    lines = csv.reader(stream)
    header, source, day = _head(lines, name)
    places = _places(header, name)
    columns = [(attribute, places[column]) for attribute, column in _COLUMNS.items()]
    lease = [places[column] for column in _TERM]
    sku, start, tier, unit, usd, currency = (places[name] for name in ("SKU", *_NEEDED[2:]))
    found = InForce()
    last, charge = "", None
    for row in lines:
        row.append("")  # stands for a column that the offer does not have
        if len(row) <= len(header) or row[tier] not in {"0", ""} or row[currency] != "USD":
            continue
        if row[sku] != last:
            last = row[sku]
            charge = charge_of({attribute: row[place] for attribute, place in columns}, selection)
        if charge is None or row[unit].lower() not in charge.units:
            continue
        purchase = purchase_of(tuple(row[place] for place in lease))
        if purchase:
            where = f"{name}, line {lines.line_num}"
            price = _price(where, charge, purchase, row[usd], source, day)
            found.offer(price, start_day(where, row[start]))
    yield from found.prices()


def _head(lines: Any, name: str) -> tuple[list[str], str, date | None]:
    """Reads up to the header; returns it, the source, and the publication date if it is there."""
    day: date | None = None
    source = ""
    for row in lines:
        if row[:1] == ["Publication Date"] and len(row) > 1:
            day = parse_day(f"{name}, line {lines.line_num}", row[1])
        elif row[:1] == ["OfferCode"] and len(row) > 1:
            source = _source(row[1])
        elif row[:1] == ["SKU"]:
            return row, source, day
    return [], source, day


def _places(header: Sequence[str], name: str) -> dict[str, int]:
    """Returns where each column stands; one that the file may lack is behind the last."""
    # What tells machines apart has to be there where there are machines.
    needed = (*_NEEDED, *_COLUMNS.values()) if _COLUMNS["instanceType"] in header else _NEEDED
    missing = [column for column in needed if column not in header]
    if missing:
        msg = f"{name}: no column {', '.join(missing)} below the lines about the file"
        raise SourceError(msg)
    known = {column: place for place, column in enumerate(header)}
    return {
        column: known.get(column, len(header)) for column in (*_NEEDED, *_TERM, *_COLUMNS.values())
    }


def _charge(product: object, selection: Selection) -> Charge | None:
    attributes = product.get("attributes") if isinstance(product, dict) else None
    if not isinstance(product, dict) or not isinstance(attributes, dict):
        return None
    family = product.get("productFamily")
    return charge_of({**attributes, "productFamily": family}, selection)


def _offer(  # noqa: PLR0913, PLR0917  # a term, what it is a term of, and where it stands
    found: InForce,
    where: str,
    charge: Charge,
    kind: str,
    term: Mapping[str, Any],
    source: str,
    day: date | None,
) -> None:
    """Takes what a unit costs by one term of a SKU."""
    attributes = term.get("termAttributes") or {}
    lease = (
        str(attributes.get(name) or "")
        for name in ("LeaseContractLength", "PurchaseOption", "OfferingClass")
    )
    purchase = purchase_of((kind, *lease))
    start = start_day(where, term.get("effectiveDate"))
    for dimension in _values(term.get("priceDimensions")):
        per_unit = dimension.get("pricePerUnit")
        counts = (
            str(dimension.get("unit")).lower() in charge.units
            and dimension.get("beginRange", "0") == "0"
        )
        if purchase and counts and isinstance(per_unit, dict) and "USD" in per_unit:
            found.offer(_price(where, charge, purchase, per_unit["USD"], source, day), start)


def _values(mapping: object) -> Iterator[dict[str, Any]]:
    if isinstance(mapping, dict):
        yield from (value for value in mapping.values() if isinstance(value, dict))


def _source(offer: object) -> str:
    return f"AWS Price List, {offer}"


def _price(  # noqa: PLR0913, PLR0917  # what a price is, and where it stands
    where: str, charge: Charge, purchase: str, usd: object, source: str, day: date | None
) -> Price:
    if day is None:
        msg = f"{where}: a price before the publication date of the file"
        raise SourceError(msg)
    identifier = f"{charge.identifier}/{purchase}" if charge.is_machine else charge.identifier
    return list_price(
        where, identifier, usd, unit=charge.unit, source=source, as_of=day, times=charge.times
    )
