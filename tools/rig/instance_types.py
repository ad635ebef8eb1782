"""The machines that the simulated cloud sells: those of the price book, at its prices."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from breakeven.catalog.clouds import find_cloud
from breakeven.catalog.pool_kinds import POOL_KINDS
from breakeven.catalog.price_file import BookFile, read_book

REGIONS = tuple(
    (kind.cloud, find_cloud(kind.cloud).first_region)
    for kind in POOL_KINDS.values()
    if kind.cloud and "karpenter.sh/v1:NodePool" in kind.custom_resources
)
"""Karpenter starts machines of these clouds. They are sold side by side: no name is of both."""

ZONES = ("zone-a", "zone-b")
CAPACITY_TYPES = ("on-demand", "spot")


def write(file: Path) -> int:
    """Write the machines of all regions in the form that Karpenter's kwok provider reads.

    Machines whose virtual CPUs or memory the book does not know are left out, because nothing
    could be placed on them; so are capacity types without a price.

    Args:
        file: Where to.

    Returns:
        How many machine types there are.
    """
    book = read_book()
    types = [each for cloud, region in REGIONS for each in machines(book, cloud, region)]
    file.write_text(json.dumps(types, indent=1), encoding="utf-8")
    return len(types)


def machines(book: BookFile, cloud: str, region: str) -> list[dict[str, Any]]:
    """Return the machines of a region with their offerings."""
    found = []
    for (where, instance_type), shape in sorted(book.shapes.items()):
        prices = {
            capacity: book.prices[identifier].usd
            for capacity in CAPACITY_TYPES
            if (identifier := f"node/{cloud}/{region}/{instance_type}/{capacity}") in book.prices
        }
        if where != cloud or not prices or shape.vcpus is None or shape.memory_gib is None:
            continue
        resources = {
            "cpu": str(shape.vcpus),
            "memory": f"{int(shape.memory_gib * 1024)}Mi",
            "ephemeral-storage": "100Gi",
            "pods": "110",
        }
        if shape.gpus:
            resources["nvidia.com/gpu"] = str(shape.gpus)
        found.append(
            {
                "name": instance_type,
                "architecture": "amd64",
                "operatingSystems": ["linux"],
                "resources": resources,
                "offerings": [
                    _offering(capacity, zone, usd)
                    for capacity, usd in prices.items()
                    for zone in ZONES
                ],
            }
        )
    return found


def _offering(capacity: str, zone: str, usd: Decimal) -> dict[str, Any]:
    return {
        "Price": float(usd),
        "Available": True,
        "Requirements": [
            {"key": "karpenter.sh/capacity-type", "operator": "In", "values": [capacity]},
            {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]},
        ],
    }
