"""SKUs of Google Compute Engine: machines are billed by core, by memory and by GPU.

Two forms, with the fields that Google documents: pages of the Cloud Billing Catalog API (`skus`),
which do not say when they were fetched and have disks too, and rows of the BigQuery table
cloud_pricing_export, one JSON object a line, which do. A machine's price is put together as Google
bills it:

    vCPUs x core + GB x memory + GPUs x GPU

for machine types that consist of these alone. A2 ultra and A3 come with local disks, and G4 has
names of its own: their prices have to come from elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TextIO

from breakeven.catalog.importers.in_force import start_day
from breakeven.catalog.importers.listing import (
    Selection,
    SourceError,
    list_price,
    member_items,
    node_price,
    parse_day,
)
from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.price import Price

SOURCE = "Google Cloud SKUs, cores + memory + GPUs"

DISK_SOURCE = "Google Cloud SKUs, persistent disks"

_INSTANCE = re.compile(r"(Spot Preemptible )?(E2|N2|G2|A2) Instance (Core|Ram) running in ")
_GPU = re.compile(
    r"(Nvidia L4|Nvidia Tesla A100) GPU (attached to Spot Preemptible VMs )?running in "
)

_DISK = re.compile(r"(Storage|Balanced|SSD backed) PD Capacity( in .*)?")

_VOLUMES = {
    "Storage": ("pd-standard",),
    "Balanced": ("pd-balanced", "standard-rwo"),
    "SSD backed": ("pd-ssd", "premium-rwo"),
}
"""Names of a disk, and of GKE's storage class that makes it, by what its SKU starts with."""

_FAMILIES = {
    "e2-standard": ("E2", None),
    "n2-standard": ("N2", None),
    "g2-standard": ("G2", "Nvidia L4"),
    "a2-highgpu": ("A2", "Nvidia Tesla A100"),
}
"""Names of family and GPU in the SKUs, by what a machine type's name starts with."""

_Parts = dict[tuple[str, str, str], tuple[Decimal, date]]
"""USD and day by region, purchase and part, such as "G2 Core" or "Nvidia L4"."""


def is_catalog(head: str) -> bool:
    """Tells by its beginning whether a file is a page of the Cloud Billing Catalog API."""
    return head.lstrip().startswith("{") and '"skus"' in head and '"skuId"' in head


def is_export(head: str) -> bool:
    """Tells by its beginning whether a file has rows of cloud_pricing_export."""
    return '"pricing_as_of_time"' in head and '"list_price"' in head


def read_catalog(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of pages of the catalog.

    Raises:
        SourceError: The day of fetching was not given, or a price is none or in another currency.
        JsonStreamError: The file is no JSON.
    """
    return prices_of(member_items(stream, name, "skus"), name, selection)


def prices_of(items: Iterable[tuple[str, Any]], name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of the SKUs of any number of pages of the catalog.

    Args:
        items: Each with its place, for messages.
        name: Name of the list, for messages.
        selection: What is wanted.

    Raises:
        SourceError: As `read_catalog`.
    """
    day = selection.day(name)
    parts: _Parts = {}
    for where, sku in items:
        description = str(sku.get("description")) if isinstance(sku, dict) else ""
        part, disk = _part(description), _DISK.fullmatch(description)
        usd = _catalog_usd(where, sku, day) if part or disk else None
        if usd is None:
            continue
        if part:
            _note(parts, sku.get("serviceRegions"), part, usd, day)
        elif disk:
            yield from _volumes(where, sku.get("serviceRegions"), disk[1], usd, selection)
    yield from _machines(parts, name, selection)


def read_export(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of rows of the pricing export.

    Raises:
        SourceError: A line is no JSON object, a price is none, or a row has no day.
    """
    parts: _Parts = {}
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        row = _row(line, where)
        part = _part(str(_at(row, "sku", "description")))
        if part:
            tiers = _at(row, "list_price", "tiered_rates")
            usd = _first_tier(where, tiers, "start_usage_amount", "usd_amount")
            day = parse_day(where, row.get("pricing_as_of_time"))
            _note(parts, _at(row, "geo_taxonomy", "regions"), part, usd, day)
    return _machines(parts, name, selection)


def _volumes(
    where: str, regions: object, kind: str, usd: Decimal, selection: Selection
) -> Iterator[Price]:
    for region in regions if isinstance(regions, list) else []:
        if ("gcp", region) in selection.regions:
            for name in _VOLUMES[kind]:
                yield list_price(
                    where,
                    f"volume/gcp/{region}/{name}",
                    usd,
                    unit="GB-month",
                    source=DISK_SOURCE,
                    as_of=selection.day(where),
                )


def _row(line: str, where: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line, parse_float=Decimal)
    except ValueError as error:
        msg = f"{where}: not JSON, {error}"
        raise SourceError(msg) from None
    if not isinstance(row, dict):
        msg = f"{where}: not an object; needed: one JSON object a line"
        raise SourceError(msg)
    return row


def _part(description: str) -> tuple[str, str] | None:
    """Returns purchase and part of a SKU that machines consist of."""
    if found := _INSTANCE.match(description):
        return "spot" if found[1] else "on-demand", f"{found[2]} {found[3]}"
    if found := _GPU.match(description):
        return "spot" if found[2] else "on-demand", found[1]
    return None


def _catalog_usd(where: str, sku: Mapping[str, Any], day: date) -> Decimal | None:
    """Returns USD by the newest price in force on a day; None if all are to come."""
    pricing = sku.get("pricingInfo")
    begun = [
        (start_day(where, item.get("effectiveTime")) or date.min, number, item)
        for number, item in enumerate(pricing if isinstance(pricing, list) else [])
        if isinstance(item, dict)
    ]
    begun_by_then = [item for item in begun if item[0] <= day]
    if begun and not begun_by_then:
        return None
    latest = max(begun_by_then)[2] if begun_by_then else {}
    tiers = _at(latest, "pricingExpression", "tieredRates")
    unit = _first_tier_value(where, tiers, "startUsageAmount", "unitPrice")
    if not isinstance(unit, dict) or unit.get("currencyCode") != "USD":
        msg = f"{where}: {sku.get('description')} is not in US dollars; allowed: USD"
        raise SourceError(msg)
    whole, nanos = _decimal(where, unit.get("units", "0")), _decimal(where, unit.get("nanos", 0))
    return whole + nanos / 10**9


def _first_tier(where: str, tiers: object, start: str, amount: str) -> Decimal:
    return _decimal(where, _first_tier_value(where, tiers, start, amount))


def _first_tier_value(where: str, tiers: object, start: str, value: str) -> object:
    for tier in tiers if isinstance(tiers, list) else []:
        if isinstance(tier, dict) and not _decimal(where, tier.get(start, 0)):
            return tier.get(value)
    msg = f"{where}: no rate from the first unit on"
    raise SourceError(msg)


def _decimal(where: str, value: object) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        msg = f'{where}: found "{value}"; allowed: an amount'
        raise SourceError(msg) from None


def _at(value: object, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _note(parts: _Parts, regions: object, part: tuple[str, str], usd: Decimal, day: date) -> None:
    for region in regions if isinstance(regions, list) else []:
        key = (str(region), *part)
        parts[key] = max(parts.get(key, (usd, day)), (usd, day), key=lambda at: (at[1], at[0]))


def _machines(parts: _Parts, name: str, selection: Selection) -> Iterator[Price]:
    places = {(region, purchase) for region, purchase, _ in parts}
    for (cloud, instance_type), shape in selection.shapes.items():
        family = _FAMILIES.get(instance_type.rpartition("-")[0])
        if cloud != "gcp" or family is None:
            continue
        for region, purchase in sorted(places):
            if selection.takes(cloud, region, instance_type):
                yield from _machine(parts, name, shape, (region, purchase), family)


def _machine(
    parts: _Parts,
    name: str,
    shape: NodeShape,
    place: tuple[str, str],
    family: tuple[str, str | None],
) -> Iterator[Price]:
    series, gpu = family
    amounts: dict[str, float | None] = {
        f"{series} Core": shape.vcpus,
        f"{series} Ram": shape.memory_gib,
    }
    if gpu is not None:
        amounts[gpu] = shape.gpus
    found = {part: parts.get((*place, part)) for part in amounts}
    if None in found.values() or None in amounts.values():
        return  # a machine of which a part has no price has none
    usd = sum((Decimal(str(amounts[part])) * at[0] for part, at in found.items() if at), Decimal(0))
    yield node_price(
        name,
        cloud="gcp",
        region=place[0],
        instance_type=shape.instance_type,
        purchase=place[1],
        usd=usd,
        source=SOURCE,
        as_of=min(at[1] for at in found.values() if at),
    )
