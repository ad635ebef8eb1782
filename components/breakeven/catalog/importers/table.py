"""A table of your own: CSV, or a JSON list of objects, with the same seven columns.

cloud, region, instance_type, purchase (on_demand or spot), usd_per_hour, as_of and source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TextIO

from breakeven.catalog.importers.listing import (
    Selection,
    SourceError,
    node_price,
    parse_day,
    table_rows,
)
from breakeven.catalog.price import Price
from breakeven.json_stream import entries

COLUMNS = (
    "cloud",
    "region",
    "instance_type",
    "purchase",
    "usd_per_hour",
    "as_of",
    "source",
)

_PURCHASES = {"on_demand": "on-demand", "spot": "spot"}


def is_csv(head: str) -> bool:
    """Tells by its beginning whether a file is such a table in CSV."""
    names = {name.strip().strip('"') for name in head.partition("\n")[0].split(",")}
    return names >= set(COLUMNS)


def is_json(head: str) -> bool:
    """Tells by its beginning whether a file is such a table in JSON."""
    return head.lstrip().startswith("[") and '"usd_per_hour"' in head


def read_csv(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of a table in CSV.

    Raises:
        SourceError: A column is missing, or a wanted row cannot be read.
        csv.Error: The file is not CSV.
    """
    for where, row in table_rows(stream, name, COLUMNS):
        yield from _price(where, row, selection)


def read_json(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of a table in JSON.

    Raises:
        SourceError: An item is not an object, lacks a column, or is wanted and cannot be read.
        JsonStreamError: The file is not JSON.
    """
    for entry in entries(stream, {()}):
        where = f"{name}, line {entry.line}"
        if not isinstance(entry.value, dict):
            msg = f"{where}: not an object; needed: a list of objects with {', '.join(COLUMNS)}"
            raise SourceError(msg)
        yield from _price(where, entry.value, selection)


def _price(where: str, row: Mapping[str, object], selection: Selection) -> Iterator[Price]:
    empty = [column for column in COLUMNS if row.get(column) in (None, "")]
    if empty:
        msg = f"{where}: no {', '.join(empty)}; needed: {', '.join(COLUMNS)}"
        raise SourceError(msg)
    cloud, region, instance_type = (str(row[column]) for column in COLUMNS[:3])
    purchase = _PURCHASES.get(str(row["purchase"]))
    if purchase is None:
        msg = f'{where}: purchase "{row["purchase"]}"; allowed: {", ".join(_PURCHASES)}'
        raise SourceError(msg)
    if selection.takes(cloud, region, instance_type):
        yield node_price(
            where,
            cloud=cloud,
            region=region,
            instance_type=instance_type,
            purchase=purchase,
            usd=row["usd_per_hour"],
            source=str(row["source"]),
            as_of=parse_day(where, row["as_of"]),
        )
