"""Checks of the prices of a stack's nodes: missing, too old, or of another machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from breakeven.catalog.price import PriceMissingError
from breakeven.catalog.price_book import PriceBook
from breakeven.errors import ClockError
from breakeven.settings.fields import Conflict
from breakeven.settings.stack import Stack

OF_NODES = (
    "pool.capacityTypes",
    "pricing.nodes",
    "pricing.cloud",
    "pricing.region",
    "pool.gpu",
    "pool.gpusPerNode",
)
"""Settings that decide which price of a node is asked for."""

_MOST_NEAR = 4
"""Alternatives of a kind that a message names."""


def missing_prices(
    stack: Stack, book: PriceBook, missing: Sequence[PriceMissingError]
) -> Iterator[Conflict]:
    """Yields the machine types without a price, with the nearest ones that have one.

    Args:
        stack: The stack.
        book: Its price book.
        missing: What the book lacks.
    """
    if not missing:
        return
    near = _near_machines(stack, book)
    yield Conflict(
        "pool.instanceTypes",
        f"no price {', '.join(error.identifier for error in missing)}",
        f"Fetch it with {_refresh(stack)}, state it in pricing.overrides, or set pricing.nodes to "
        "stated" + (f"; closest in the book: {near}" if near else ""),
        OF_NODES,
        price=True,
    )


def stale_prices(stack: Stack, book: PriceBook) -> Iterator[Conflict]:
    """Refuses prices of nodes that are too old, if no other price was asked for yet.

    Args:
        stack: The stack.
        book: Its price book, asked for the prices of nodes.

    Raises:
        ClockError: By the machine's clock a price is of a day to come.
    """
    for price in book.used:
        if book.is_from_the_future(price):
            raise ClockError(book.today, price.identifier, price.as_of)
    limit = stack.pricing.max_age_days
    stale = [price for price in book.used if book.is_stale(price, limit)]
    if stale:
        shown = ", ".join(f"{price.identifier} of {price.as_of.isoformat()}" for price in stale)
        yield Conflict(
            "pricing.maxAgeDays",
            f"{limit} days, but the book's price is {shown}",
            f"Fetch current prices with {_refresh(stack)}, state one in pricing.overrides, or "
            "raise pricing.maxAgeDays",
            price=True,
        )


def wrong_shapes(stack: Stack, book: PriceBook) -> Iterator[Conflict]:
    """Yields machine types that have other GPUs than the stack says."""
    pool = stack.pool
    for instance_type in pool.instance_types:
        try:
            shape = book.shape(stack.pricing.cloud, instance_type)
        except LookupError:
            continue  # a machine type that the book does not know can still have a stated price
        gpu = pool.gpu
        whole, parts = (gpu.whole, gpu.parts) if gpu.profile else (gpu.name, 1)
        if shape.gpu != whole or shape.gpus * parts != pool.gpus_per_node:
            each = f", each {parts} x {gpu.profile}" if gpu.profile else ""
            yield Conflict(
                "pool.instanceTypes",
                f"{instance_type} has {shape.gpus} x {shape.gpu or 'no GPU'}{each}",
                f"Allowed: machine types with pool.gpusPerNode {pool.gpus_per_node} x "
                f"{gpu.name}, so that whole replicas fill a node",
                OF_NODES,
            )


def system_node_prices(stack: Stack, book: PriceBook) -> Iterator[Conflict]:
    """Yields the machine type of the system nodes if it has no price in any region."""
    pricing = stack.pricing
    if not pricing.system_node_count:
        return
    try:
        book.node(pricing.cloud, pricing.region, pricing.system_instance_type, "on-demand")
    except PriceMissingError as missing:
        yield Conflict(
            "pricing.systemInstanceType",
            f"no price {missing.identifier}",
            f"Fetch it with {_refresh(stack)}, state one in pricing.overrides, or set "
            "pricing.systemNodeCount to 0 if others pay for them",
            ("pricing.systemNodeCount", "pricing.cloud", "pricing.region"),
            price=True,
        )


def _refresh(stack: Stack) -> str:
    return f"`breakeven prices refresh --region {stack.pricing.cloud}/{stack.pricing.region}`"


def _near_machines(stack: Stack, book: PriceBook) -> str:
    """Names the regions that have the machine types, and machines with such GPUs in the region."""
    pool, pricing = stack.pool, stack.pricing
    parts = []
    for instance_type in pool.instance_types:
        regions = [
            region
            for region in book.regions_of(pricing.cloud, instance_type)
            if region != pricing.region
        ]
        if regions:
            # Those of the same continent first: names begin with it.
            regions.sort(key=lambda region: (region[:2] != pricing.region[:2], region))
            more = len(regions) - _MOST_NEAR
            names = ", ".join(regions[:_MOST_NEAR]) + (f" and {more} more" if more > 0 else "")
            parts.append(f"{instance_type} in {names}")
    same = [
        shape.instance_type
        for shape in book.machines(pricing.cloud)
        if (shape.gpu, shape.gpus) == (pool.gpu.name, pool.gpus_per_node)
        and shape.instance_type not in pool.instance_types
        and pricing.region in book.regions_of(pricing.cloud, shape.instance_type)
    ]
    if same:
        parts.append(f"{', '.join(same[:_MOST_NEAR])} in {pricing.region}")
    return "; ".join(parts)
