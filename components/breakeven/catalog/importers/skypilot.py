"""Machine tables of SkyPilot's catalog (`catalogs/VERSION/CLOUD/vms.csv`), a CSV per cloud.

A row is a machine type in a region, for some clouds in a zone, with Price on demand and SpotPrice.
A table names neither its cloud nor its day. Zones of a region differ in their spot price; the
dearest counts. Google's table has a machine and its GPU in separate rows, so from it only machines
without GPU are taken: the price of a GPU machine there is that of its processor and memory alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TextIO

from breakeven.catalog.importers.listing import Selection, dearest, node_price, table_rows
from breakeven.catalog.price import Price

SOURCE = "SkyPilot catalog, Apache-2.0"

_COLUMNS = ("InstanceType", "AcceleratorName", "AcceleratorCount", "Price", "SpotPrice", "Region")

_PURCHASES = {"Price": "on-demand", "SpotPrice": "spot"}


def is_table(head: str) -> bool:
    """Tells by its beginning whether a file is such a table."""
    return set(head.partition("\n")[0].strip().split(",")) >= set(_COLUMNS)


def read(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of a table.

    Raises:
        SourceError: Cloud or day was not given, a column is missing, or a price is not an amount.
        csv.Error: The file is not CSV.
    """
    rows = table_rows(stream, name, _COLUMNS)
    cloud = selection.cloud_of(name)
    yield from dearest(
        price for where, row in rows for price in _prices(where, cloud, row, name, selection)
    )


def _prices(
    where: str, cloud: str, row: Mapping[str, str | None], name: str, selection: Selection
) -> Iterator[Price]:
    instance_type = row["InstanceType"] or ""
    shape = selection.shapes.get((cloud, instance_type))
    if shape is None or (cloud == "gcp" and shape.gpus):
        return
    for region in selection.regions_of(cloud, row["Region"] or "", instance_type):
        for column, purchase in _PURCHASES.items():
            if row[column]:
                yield node_price(
                    where,
                    cloud=cloud,
                    region=region,
                    instance_type=instance_type,
                    purchase=purchase,
                    usd=row[column],
                    source=SOURCE,
                    as_of=selection.day(name),
                )
