"""Spot prices of Amazon EC2, as `aws ec2 describe-spot-price-history` prints them.

Fields as the EC2 API reference describes them: AvailabilityZone, InstanceType, ProductDescription,
SpotPrice and Timestamp, the time of the last change. A price holds until the next one. Zones of a
region differ; the dearest counts, because any of them may be the one that has machines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from breakeven.catalog.importers.in_force import InForce, start_day
from breakeven.catalog.importers.listing import Selection, dearest, member_items, node_price
from breakeven.catalog.price import Price

SOURCE = "AWS spot price history, dearest zone"

PRODUCTS = ("Linux/UNIX", "Linux/UNIX (Amazon VPC)")
"""Names of Linux without further software."""

_ZONE = re.compile(r"(?P<region>[a-z]{2}(-[a-z]+)+-\d)[a-z]")
"""A zone of a region, such as us-east-1a. A local zone, such as us-west-2-lax-1a, is not one."""


def is_history(head: str) -> bool:
    """Tells by its beginning whether a file is such a history."""
    return head.lstrip().startswith("{") and '"SpotPriceHistory"' in head


def read(stream: TextIO, name: str, selection: Selection) -> Iterator[Price]:
    """Yields the wanted prices of a history.

    Raises:
        SourceError: The day of fetching was not given, or a price is not an amount.
        JsonStreamError: The file is not JSON.
    """
    found = InForce()
    for where, item in member_items(stream, name, "SpotPriceHistory"):
        if isinstance(item, dict):
            take(found, where, item, name, selection)
    yield from dearest(found.prices())


def take(
    found: InForce, where: str, item: Mapping[str, Any], name: str, selection: Selection
) -> None:
    """Takes one item of a history into account.

    Args:
        found: Prices so far, by zone.
        where: File and line, for messages.
        item: Fields as the API names them.
        name: Name of the file, for messages.
        selection: What is wanted.

    Raises:
        SourceError: As `read`.
    """
    zone = _ZONE.fullmatch(str(item.get("AvailabilityZone")))
    instance_type = str(item.get("InstanceType"))
    if (
        zone is None
        or item.get("ProductDescription") not in PRODUCTS
        or not selection.takes("aws", zone["region"], instance_type)
    ):
        return
    price = node_price(
        where,
        cloud="aws",
        region=zone["region"],
        instance_type=instance_type,
        purchase="spot",
        usd=item.get("SpotPrice"),
        source=SOURCE,
        as_of=selection.day(name),
    )
    found.offer(price, start_day(where, item.get("Timestamp")), (price.identifier, zone[0]))
