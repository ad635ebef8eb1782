"""Finds stated prices that nothing uses, so that a typing mistake is seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from breakeven.catalog.price import PriceMissingError
from breakeven.catalog.price_book import PriceBook
from breakeven.catalog.price_regions import without_region
from breakeven.cost.bill.rules.kubernetes import balancer_prices
from breakeven.cost.notes import UnusedPriceOverride
from breakeven.settings.files import PRICES
from breakeven.settings.stack import Settings
from breakeven.suggestions import near_names

_PURCHASES = ("on-demand", "spot", "reserved")


def unused_overrides(settings: Settings, today: date) -> Iterator[UnusedPriceOverride]:
    """Yields each stated price that neither book nor stack knows.

    What the book has may be stated for another stack's sake, and any purchase of the stack's own
    machines for a comparison; anything else is a mistake, or left over.

    Args:
        settings: The stack's settings.
        today: Day on which prices are looked up.
    """
    book = PriceBook.load(today=today, region=settings.pricing.region, own=PRICES)
    own = _own(settings)
    for identifier in settings.pricing.overrides:
        if without_region(identifier) in own:
            continue
        try:
            book.find(identifier)
        except PriceMissingError as missing:
            near = (*near_names(identifier, own), *missing.near)
            yield UnusedPriceOverride(identifier, near[0] if near else "")


def _own(settings: Settings) -> tuple[str, ...]:
    """The identifiers of what the stack has: machines, volumes, and the cluster's parts."""
    prices, cloud = settings.pricing, settings.pricing.cloud
    machines = dict.fromkeys((*settings.pool.instance_types, prices.system_instance_type))
    nodes = (
        f"node/{cloud}/{prices.region}/{machine}/{purchase}"
        for machine in machines
        if machine
        for purchase in _PURCHASES
    )
    classes = {settings.weights.storage_class, settings.pool.kind.root_volume_class}
    volumes = (f"volume/{cloud}/{name}" for name in sorted(classes) if name)
    parts = (f"nat/{cloud}/gateway", f"nat/{cloud}/gb", f"control-plane/{prices.control_plane}")
    return (*nodes, *volumes, *balancer_prices(cloud), *parts)
