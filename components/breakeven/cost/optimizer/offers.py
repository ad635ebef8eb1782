"""Available nodes: the price book's machine types, and the stack's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.pool_kinds import default_pool_kind
from breakeven.catalog.price import Price, PriceMissingError
from breakeven.cost.bill.node_cost import RentedNode
from breakeven.cost.optimizer.search import Offer, Purchase, Search


def offers(search: Search) -> tuple[Offer, ...]:
    """Returns every node that the stack's cloud and region rent, and the stack's own.

    A machine type without a price there, or with one that is too old, is left out: nothing is
    guessed.
    """
    found = [offer for shape in _gpu_shapes(search) for offer in _rented(search, shape)]
    if search.own_offer is not None and _wanted(search, search.own_offer.gpu.name):
        found.append(search.own_offer)
    return tuple(found)


def _wanted(search: Search, gpu: str) -> bool:
    return not search.gpus or gpu in search.gpus


def _gpu_shapes(search: Search) -> Iterator[NodeShape]:
    for shape in search.assumptions.book.machines(search.assumptions.cloud):
        if shape.gpu is not None and _wanted(search, shape.gpu):
            yield shape


def _rented(search: Search, shape: NodeShape) -> Iterator[Offer]:
    share = search.commitment_share
    for purchase in ("on-demand", "spot"):
        price = _price(search, shape, purchase)
        if price is None:
            continue
        yield _offer(search, shape, "on-demand" if purchase == "on-demand" else "spot", price)
        if purchase == "on-demand" and share is not None:
            committed = replace(price, usd=price.usd * (1 - share), confidence="user")
            yield _offer(search, shape, "committed", committed)


def _price(search: Search, shape: NodeShape, purchase: str) -> Price | None:
    book, region = search.assumptions.book, search.assumptions.region
    try:
        price = book.node(shape.cloud, region, shape.instance_type, purchase)
    except PriceMissingError:
        return None
    return None if book.is_stale(price, search.max_age_days) else price


def _offer(search: Search, shape: NodeShape, purchase: Purchase, price: Price) -> Offer:
    follows = default_pool_kind(shape.cloud).can_grow
    return Offer(
        gpu=find_gpu(shape.gpu or ""),
        gpus_per_node=shape.gpus,
        machine=shape.instance_type,
        purchase=purchase,
        node=RentedNode(price, shape.gpus, shape.instance_type, purchase),
        # What is committed to is paid whether it runs or not.
        nodes_follow=follows and purchase != "committed",
        volume_gigabytes=search.volume_gigabytes if follows else 0,
    )
