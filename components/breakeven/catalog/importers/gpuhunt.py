"""Catalogs of gpuhunt, a CSV per cloud, such as nebius.csv.

A row is a machine type in a region with `price` in USD an hour and whether it is `spot`. A catalog
names neither its cloud nor its day. Rows with a flag that stands for other terms of sale than on
demand or spot are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TextIO

from breakeven.catalog.importers.listing import (
    Selection,
    SourceError,
    dearest,
    node_price,
    table_rows,
)
from breakeven.catalog.price import Price

SOURCE = "gpuhunt catalog"

CLOUDS = {"lambdalabs": "lambda", "vastai": "vast"}
"""Clouds that gpuhunt names otherwise."""

_COLUMNS = ("instance_name", "location", "price", "gpu_count", "spot")

_PURCHASES = {"false": "on-demand", "true": "spot"}

_OTHER_TERMS = frozenset({"gcp-dws-calendar-mode", "gcp-g4-preview", "runpod-cluster"})
"""Flags of rows that are sold by reservation, in preview, or as a part of a cluster."""

_GOOGLE_ZONE = re.compile(r"-[a-z]$")


def is_catalog(head: str) -> bool:
    """Tells by its beginning whether a file is such a catalog."""
    return set(head.partition("\n")[0].strip().split(",")) >= set(_COLUMNS)


def read(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of a catalog.

    Raises:
        SourceError: Cloud or day was not given, or a row that is wanted cannot be read.
        csv.Error: The file is not CSV.
    """
    rows = table_rows(stream, name, _COLUMNS)
    stated = selection.cloud_of(name)
    cloud = CLOUDS.get(stated, stated)
    yield from dearest(
        price for where, row in rows for price in _prices(where, cloud, row, name, selection)
    )


def _prices(
    where: str, cloud: str, row: Mapping[str, str | None], name: str, selection: Selection
) -> Iterator[Price]:
    # Nebius names a machine by platform and preset, here with a space between them.
    instance_type = (row["instance_name"] or "").replace(" ", "_")
    location = row["location"] or ""
    region = _GOOGLE_ZONE.sub("", location) if cloud == "gcp" else location
    if (row.get("flags") or "").split() and _OTHER_TERMS & set((row["flags"] or "").split()):
        return
    for wanted in selection.regions_of(cloud, region, instance_type):
        purchase = _PURCHASES.get((row["spot"] or "").lower())
        if purchase is None:
            msg = f'{where}: spot is "{row["spot"]}"; allowed: True or False'
            raise SourceError(msg)
        yield node_price(
            where,
            cloud=cloud,
            region=wanted,
            instance_type=instance_type,
            purchase=purchase,
            usd=row["price"],
            source=SOURCE,
            as_of=selection.day(name),
        )
