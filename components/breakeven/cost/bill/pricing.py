"""The lines of the bill that registered resources stand for: nodes, volumes, load balancers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

from breakeven.catalog.clouds import find_cloud
from breakeven.catalog.price import PriceMissingError
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.classify import (
    Free,
    GpuNodes,
    InPool,
    LoadBalancer,
    Quantity,
    Registered,
    Unknown,
    Volume,
    Workload,
    classify,
)
from breakeven.cost.bill.line_item import (
    Infrastructure,
    LineItem,
    LineItemKind,
    NotPriced,
    line_item,
    stated_price,
)
from breakeven.cost.bill.node_cost import OwnedNode, RentedNode
from breakeven.cost.bill.shared_costs import CLUSTER_PARTS
from breakeven.cost.fleet.plan import FleetWeek
from breakeven.formatting import to_decimal

BYTES_PER_TOKEN = 5
"""Bytes that a token takes on the wire, JSON and headers aside: an estimate, 4 to 5 for English."""

# What a name says of the content behind it; a bill's reader has no use for it.
_HASH = re.compile(r"-[0-9a-f]{8}$")

_Shares: TypeAlias = Sequence[tuple[LineItemKind, str, Decimal]]


def price_resources(
    resources: Iterable[Registered],
    week: FleetWeek,
    assumptions: Assumptions,
    by_model: Sequence[FleetWeek] = (),
) -> Infrastructure:
    """Prices what was registered, and the cluster's share.

    Args:
        resources: The ledger.
        week: What the fleet does with the load.
        assumptions: Prices and everything else.
        by_model: The same for each model, where a stack has several.
    """
    lines: list[LineItem] = []
    free: list[str] = []
    unpriced: list[NotPriced] = []
    quantities = [(resource, classify(resource)) for resource in resources]
    has_pool = any(isinstance(quantity, GpuNodes) for _, quantity in quantities)
    for resource, quantity in quantities:
        name = _HASH.sub("", resource.name)
        reason = _reason_against(quantity, has_pool=has_pool)
        if reason:
            unpriced.append(NotPriced(name, resource.type, reason))
        elif isinstance(quantity, Free | InPool | Workload):
            free.append(name)
        else:
            if isinstance(quantity, GpuNodes):
                lines.extend(_nodes(week, assumptions, by_model))
                name = f"root volumes of {name}"
            try:
                lines.extend(_resource(name, quantity, week, assumptions))
            except PriceMissingError as missing:
                unpriced.append(NotPriced(name, resource.type, _stated_instead(missing)))
    for part in CLUSTER_PARTS:
        try:
            lines.extend(part(assumptions, by_model or (week,)))
        except PriceMissingError as missing:
            unpriced.append(NotPriced("cluster", missing.identifier, _stated_instead(missing)))
    return Infrastructure(tuple(lines), tuple(free), tuple(unpriced))


def balancer_prices(cloud: str) -> tuple[str, str | None]:
    """Returns the identifiers of a load balancer's prices: of a month, and of traffic if any.

    For a cloud of which nothing is known it is load-balancer/CLOUD, which a stack may state.
    """
    return find_cloud(cloud).balancer_prices or (f"load-balancer/{cloud}", None)


def _reason_against(quantity: Quantity, *, has_pool: bool) -> str | None:
    """Says why something has no price, or None where it has one or needs none."""
    if isinstance(quantity, Unknown):
        return quantity.reason
    if isinstance(quantity, Workload) and quantity.gpus and not has_pool:
        return "asks for GPUs, but no pool is registered"
    return None


def _stated_instead(missing: PriceMissingError) -> str:
    return f"no price {missing.identifier}; state one in priceOverrides"


def _resource(
    name: str, quantity: Quantity, week: FleetWeek, assumptions: Assumptions
) -> Sequence[LineItem]:
    """Returns the lines that need a price of the book: all of a resource's, or it raises."""
    if isinstance(quantity, GpuNodes):
        return list(_root_volumes(quantity, week, assumptions))
    if isinstance(quantity, Volume):
        return [_volume(name, quantity, assumptions)]
    if isinstance(quantity, LoadBalancer):
        return list(_load_balancer(quantity, assumptions))
    return ()


def _nodes(
    week: FleetWeek, assumptions: Assumptions, by_model: Sequence[FleetWeek]
) -> Iterator[LineItem]:
    """Prices the nodes: of all models at once where they share them, else of each."""
    if not by_model or assumptions.fleet.fixed_nodes is not None:
        yield from _gpu_nodes(week, assumptions, "GPU nodes")
        return
    for model, its_week in zip(assumptions.models, by_model, strict=True):
        for line in _gpu_nodes(its_week, model, f"GPU nodes of {model.served}"):
            yield replace(line, model=model.served)


def _gpu_nodes(week: FleetWeek, assumptions: Assumptions, name: str) -> Iterator[LineItem]:
    mean = _mean_machines(week, assumptions)
    busy = to_decimal(week.busy_share)
    shares: _Shares = (
        ("busy-nodes", f"{name}, busy {busy:.0%}", busy),
        ("idle-nodes", f"{name}, idle {1 - busy:.0%}", 1 - busy),
    )
    node = assumptions.node
    if isinstance(node, RentedNode):
        hours = mean * assumptions.calendar.hours_per_month
        for kind, item, share in shares:
            yield line_item(kind, item, hours * share, "node-hour", node.price)
    else:
        yield from _owned_nodes(node, mean, shares, assumptions)


def _mean_machines(week: FleetWeek, assumptions: Assumptions) -> Decimal:
    return to_decimal(week.mean_nodes) * assumptions.fleet.machines_per_node


def _root_volumes(nodes: GpuNodes, week: FleetWeek, assumptions: Assumptions) -> Iterator[LineItem]:
    if nodes.node_volume_class:
        price = assumptions.book.find(f"volume/{assumptions.cloud}/{nodes.node_volume_class}")
        gigabytes = _mean_machines(week, assumptions) * nodes.node_volume_gigabytes
        yield line_item("root-volumes", "Root volumes of GPU nodes", gigabytes, "GB-month", price)


def _owned_nodes(
    node: OwnedNode,
    mean: Decimal,
    shares: _Shares,
    assumptions: Assumptions,
) -> Iterator[LineItem]:
    months = node.amortisation_years * 12
    written_off = f"purchase over {months} months, {node.residual_share:.0%} residual"
    for kind, item, share in shares:
        price = stated_price("nodePurchasePrice", node.amortisation(), assumptions, written_off)
        yield line_item(kind, f"{item}: amortisation", mean * share, "node-month", price)
    kilowatt_hours = mean * node.kilowatt_hours(assumptions.calendar)
    draw = f"{node.power_watts:,} W at the wall x PUE {node.power_usage_effectiveness}"
    price = stated_price(
        "electricityPricePerKwh", node.electricity_price_per_kwh, assumptions, draw
    )
    yield line_item("data-centre", "Electricity and cooling", kilowatt_hours, "kWh", price)
    if node.rack_and_support_per_month:
        price = stated_price(
            "rackAndSupportPerNodeMonth", node.rack_and_support_per_month, assumptions
        )
        yield line_item("data-centre", "Rack, network port, support", mean, "node-month", price)


def _volume(name: str, volume: Volume, assumptions: Assumptions) -> LineItem:
    price = assumptions.book.find(f"volume/{assumptions.cloud}/{volume.storage_class}")
    item = f"Volume {name} ({volume.storage_class})"
    line = line_item("volume", item, volume.gigabytes, "GB-month", price)
    return replace(line, model=_model_of(volume.instance, assumptions))


def _model_of(instance: str, assumptions: Assumptions) -> str:
    """Returns the model whose object it is; empty for what all share, and in a stack of one."""
    if not assumptions.others:
        return ""
    return next((model.served for model in assumptions.models if model.instance == instance), "")


def _load_balancer(balancer: LoadBalancer, assumptions: Assumptions) -> Iterator[LineItem]:
    base, traffic = balancer_prices(assumptions.cloud)
    model = _model_of(balancer.instance, assumptions)
    of = f" of {model}" if model else ""
    item, price = f"Load balancer{of}", assumptions.book.find(base)
    yield replace(line_item("load-balancer", item, Decimal(1), "month", price), model=model)
    if traffic is None:
        return
    behind = [one for one in assumptions.models if model in ("", one.served)]
    calendar = assumptions.calendar
    tokens = sum((one.load.tokens_per_month(calendar) for one in behind), Decimal(0))
    gigabytes = tokens * BYTES_PER_TOKEN / 10**9
    price = assumptions.book.find(traffic)
    if price.unit == "GB":
        quantity, unit = gigabytes, "GB"
    else:
        # One LCU carries 1 GB an hour; connections and new flows of this traffic are far below it.
        quantity, unit = gigabytes / calendar.hours_per_month, "LCU-month"
    yield replace(
        line_item("load-balancer", f"{item}, traffic", quantity, unit, price), model=model
    )
