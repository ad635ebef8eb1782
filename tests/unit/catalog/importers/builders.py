"""Books, prices and files of the tests of price sources.

The samples of AWS, Azure and Google are made here in the shape that each documents; no file of
theirs could be fetched. Those of Karpenter have the shape of its real tables.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from breakeven.catalog.importers.kinds import KINDS, Kind, kind_of, read_listing
from breakeven.catalog.importers.listing import Listing, Selection
from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.price import Price
from breakeven.catalog.price_file import BookFile

FETCHED = date(2026, 11, 20)

SHAPES = {
    (cloud, instance_type): NodeShape(
        cloud=cloud, instance_type=instance_type, gpu=gpu, gpus=gpus, vcpus=vcpus, memory_gib=memory
    )
    for cloud, instance_type, gpu, gpus, vcpus, memory in [
        ("aws", "g6e.xlarge", "l40s", 1, 4, 32),
        ("aws", "p5.48xlarge", "h100", 8, 192, 2048),
        ("azure", "Standard_NC24ads_A100_v4", "a100-80-pcie", 1, 24, 220),
        ("gcp", "g2-standard-4", "l4", 1, 4, 16),
        ("gcp", "e2-standard-4", None, 0, 4, 16),
        ("gcp", "a2-ultragpu-1g", "a100-80", 1, 12, 170),
        ("lambda", "gpu_8x_h100_sxm5", "h100", 8, None, None),
    ]
}

REGIONS = frozenset(
    {("aws", "us-east-1"), ("azure", "eastus"), ("gcp", "us-central1"), ("lambda", "any")}
)

SELECTION = Selection(SHAPES, REGIONS, FETCHED, "aws")


def price(
    identifier: str = "node/aws/us-east-1/g6e.xlarge/on-demand",
    usd: str | Decimal = "1.861",
    *,
    as_of: date = date(2026, 7, 20),
    source: str = "a list",
    private: bool = False,
) -> Price:
    """Makes a price of a machine."""
    return Price(
        identifier=identifier,
        usd=Decimal(usd),
        unit="node-hour",
        source=source,
        as_of=as_of,
        confidence="user" if private else "list",
        private=private,
    )


def book(prices: Iterable[Price]) -> BookFile:
    """Makes a book of prices, and of all machine types of the tests."""
    return BookFile({item.identifier: item for item in prices}, SHAPES)


def kind_named(name: str) -> Kind:
    """Returns a kind by its name."""
    return next(kind for kind in KINDS if kind.name == name)


def read(text: str, selection: Selection = SELECTION) -> Listing:
    """Reads a file as the command does: recognised by its beginning."""
    return read_listing(io.StringIO(text), "FILE", kind_of(text, "FILE"), selection)
