"""Other machines and regions that may lower the bill: candidates of `levers`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from breakeven.catalog.gpus import Gpu, find_gpu
from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.price import Price
from breakeven.cost.bill.node_cost import RentedNode
from breakeven.cost.capacity.roofline import TENSOR_PARALLEL
from breakeven.cost.report import Report
from breakeven.planning.lever_candidates.sizes import (
    Candidate,
    capacity_for,
    fewest_replicas,
    listed_price,
    sizes_for,
)
from breakeven.planning.own_measurement import has_own_figure
from breakeven.settings.stack import Settings, Stack

_MOST_MACHINES = 3  # the cheapest that are estimated


def regions(stack: Stack, report: Report) -> Iterator[Candidate]:
    """Yields the region of the same part of the world where the machines cost least."""
    pricing, pool, book = stack.pricing, stack.pool, report.assumptions.book
    node = report.assumptions.node
    if not stack.network.data_may_leave or not isinstance(node, RentedNode):
        return
    offers = [
        (price.usd, region)
        for region in book.regions_of(pricing.cloud, node.machine)
        if region != pricing.region and area(region) == area(pricing.region)
        for price in [listed_price(stack, report, region, node.machine, pool.first_purchase)]
        if price is not None and price.usd < node.price.usd
    ]
    if offers:
        _, region = min(offers)
        changed: dict[str, object] = {"pricing.region": region}
        if len(pool.instance_types) > 1:
            changed["pool.instanceTypes"] = [node.machine]
        yield Candidate("region", changed)


def area(region: str) -> str:
    """Returns the part of the world that a region's name names, such as "us" or "europe"."""
    first, dash, rest = region.partition("-")
    if dash:
        # AWS has regions of their own for governments and for sovereign clouds.
        return first + "".join(part for part in ("gov", "iso", "eusc") if part in rest)
    return re.sub(r"north|south|east|west|central|\d", "", first)


def machines(stack: Stack, report: Report) -> Iterator[Candidate]:
    """Yields other machines of the cloud and region, those whose nodes cost least."""
    [settings] = stack.models
    if has_own_figure(settings):
        return  # measured on the present ones
    cheapest = cheapest_machines(stack, report)
    ways = sorted(
        (_least(settings, price, shape, parallel), number, parallel)
        for number, (price, shape) in enumerate(cheapest)
        for parallel in TENSOR_PARALLEL
        if shape.gpus % parallel == 0 and settings.model.facts.splits_over(parallel)
    )
    ranked: list[tuple[float, dict[str, object]]] = []
    for least, number, parallel in ways:
        if len(ranked) == _MOST_MACHINES and least >= ranked[-1][0]:
            break  # even its fewest nodes cost more
        found = _ranked(settings, report, *cheapest[number], parallel)
        if found is not None:
            ranked = sorted([*ranked, found], key=lambda each: each[0])[:_MOST_MACHINES]
    for _, changed in ranked:
        yield Candidate("gpu", changed)


def _least(settings: Settings, price: Price, shape: NodeShape, parallel: int) -> float:
    """Returns what the nodes of the fewest replicas cost an hour."""
    return float(price.usd) * -(-fewest_replicas(settings) // (shape.gpus // parallel))


def cheapest_machines(stack: Stack, report: Report) -> list[tuple[Price, NodeShape]]:
    """Returns the cheapest machine with each number of each GPU that the pool can start."""
    pool, pricing = stack.pool, stack.pricing
    [settings] = stack.models
    found = []
    for shape in report.assumptions.book.machines(pricing.cloud):
        gpu = None if shape.gpu is None else find_gpu(shape.gpu)
        if gpu is None or not pool.kind.accepts_gpu(gpu) or gpu.vendor != pool.gpu.vendor:
            continue
        if not settings.model.facts.runs_on(gpu, settings.model.precision):
            continue
        price = listed_price(
            stack, report, pricing.region, shape.instance_type, pool.first_purchase
        )
        if price is not None and shape.instance_type not in pool.instance_types:
            found.append((price, shape))
    cheapest: dict[tuple[str | None, int], tuple[Price, NodeShape]] = {}
    for price, shape in sorted(found, key=lambda each: each[0].usd):
        cheapest.setdefault((shape.gpu, shape.gpus), (price, shape))
    return list(cheapest.values())


def _ranked(
    settings: Settings, report: Report, price: Price, shape: NodeShape, parallel: int
) -> tuple[float, dict[str, object]] | None:
    """Returns about what the nodes cost an hour, and the settings; None for one of no use."""
    other = on_machine(settings, find_gpu(shape.gpu or ""), shape.gpus, parallel)
    capacity = capacity_for(other, report.assumptions)
    if capacity is None:
        return None
    per_node = shape.gpus // parallel
    mean = float(report.assumptions.load.requests_per_second().mean())
    # Nodes that follow the load, but never fewer than hold the fewest replicas.
    hourly = max(
        float(price.usd) * mean / (capacity.requests_per_second * per_node),
        _least(settings, price, shape, parallel),
    )
    changed = machine_settings(settings, other, shape)
    return hourly, changed | sizes_for(other, report.assumptions, capacity)


def machine_settings(settings: Settings, other: Settings, shape: NodeShape) -> dict[str, object]:
    """Returns the settings, by dotted key, that put a stack on another machine."""
    changed: dict[str, object] = {}
    if other.pool.gpu != settings.pool.gpu:
        changed["pool.gpu"] = shape.gpu
    changed["pool.instanceTypes"] = [shape.instance_type]
    if shape.gpus != settings.pool.gpus_per_node:
        changed["pool.gpusPerNode"] = shape.gpus
    if other.engine.tensor_parallel != settings.engine.tensor_parallel:
        changed["engine.tensorParallel"] = other.engine.tensor_parallel
    return changed


def on_machine(settings: Settings, gpu: Gpu, gpus: int, parallel: int) -> Settings:
    """Returns a model's settings on nodes with so many GPUs, of which `parallel` hold a replica."""
    return replace(
        settings,
        pool=settings.pool.model_copy(update={"gpu": gpu, "gpus_per_node": gpus}),
        engine=settings.engine.model_copy(update={"tensor_parallel": parallel}),
    )
