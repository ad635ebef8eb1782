"""The lines of the self-hosted bill: each registered resource, the cluster's share, people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from components.cost.assumptions import Assumptions
from components.cost.node_cost import OwnedNode, RentedNode
from components.cost.price import Confidence, Price, PriceMissingError
from components.cost.quantities import (
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
from components.cost.simulation import FleetWeek

BYTES_PER_TOKEN = 5
"""Bytes that a token takes on the wire, JSON and headers aside: an estimate, 4 to 5 for English."""

# What a name says of the content behind it; a bill's reader has no use for it.
_HASH = re.compile(r"-[0-9a-f]{8}$")

OVERFLOW = "Overflow by API"
"""Line of what a gateway sends to the API in use."""

_CENT = Decimal("0.01")

_LOAD_BALANCERS = {
    "aws": ("load-balancer/aws/nlb", "load-balancer/aws/nlb-lcu"),
    "azure": ("load-balancer/azure/standard", "load-balancer/azure/gb"),
    "gcp": ("load-balancer/gcp/forwarding-rule", "load-balancer/gcp/gb"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the bill.

    Attributes:
        identifier: Of the price: of the price book, or the setting that states it.
        item: What is paid for.
        quantity: How much of it a month.
        unit: Unit of the quantity.
        unit_price: USD for one unit.
        source: Where the price comes from.
        as_of: Day on which the price held; None for a figure that the stack states.
        confidence: How sure it is.
        grows_with_nodes: Whether it doubles with the number of GPU nodes.
        private: Whether reports leave its price and amount out; the total has them.
        model: The model that it is there for, where a stack has several; empty for all of them.
    """

    identifier: str
    item: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    source: str
    as_of: date | None
    confidence: Confidence
    grows_with_nodes: bool = False
    private: bool = False
    model: str = ""

    @property
    def monthly(self) -> Decimal:
        """USD a month, to the cent as on any bill, so that what is shown adds up."""
        return to_cents(self.quantity * self.unit_price)


@dataclass(frozen=True, slots=True)
class NotPriced:
    """A resource, or a part of the cluster, whose price is not known."""

    name: str
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class Machines:
    """What the registered resources and the cluster cost.

    Attributes:
        lines: Everything with a price.
        without_charge: Resources that nothing is charged for, by name.
        not_priced: Resources whose price is not known.
    """

    lines: tuple[Line, ...]
    without_charge: tuple[str, ...]
    not_priced: tuple[NotPriced, ...]

    @property
    def monthly(self) -> Decimal:
        """USD a month."""
        return sum((line.monthly for line in self.lines), Decimal(0))


def price_machines(
    resources: Iterable[Registered],
    week: FleetWeek,
    assumptions: Assumptions,
    by_model: Sequence[FleetWeek] = (),
) -> Machines:
    """Prices what was registered, and the cluster's share.

    Args:
        resources: The ledger.
        week: What the fleet does with the load.
        assumptions: Prices and everything else.
        by_model: The same for each model, where a stack has several.
    """
    lines: list[Line] = []
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
            try:
                lines.extend(_resource(name, quantity, week, assumptions, by_model))
            except PriceMissingError as missing:
                unpriced.append(NotPriced(name, resource.type, _stated_instead(missing)))
    for part in (_control_plane, _system_nodes, _nat_gateway, _overflow):
        try:
            lines.extend(part(assumptions))
        except PriceMissingError as missing:
            unpriced.append(NotPriced("cluster", missing.identifier, _stated_instead(missing)))
    return Machines(tuple(lines), tuple(free), tuple(unpriced))


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
    name: str,
    quantity: Quantity,
    week: FleetWeek,
    assumptions: Assumptions,
    by_model: Sequence[FleetWeek],
) -> Iterator[Line]:
    if isinstance(quantity, GpuNodes):
        yield from _nodes(week, assumptions, by_model)
        yield from _root_volumes(quantity, week, assumptions)
    elif isinstance(quantity, Volume):
        yield _volume(name, quantity, assumptions)
    elif isinstance(quantity, LoadBalancer):
        yield from list(_load_balancer(quantity, assumptions))  # both lines or none


def _nodes(
    week: FleetWeek, assumptions: Assumptions, by_model: Sequence[FleetWeek]
) -> Iterator[Line]:
    """Prices the nodes: of all models at once where they share them, else of each."""
    if not by_model or assumptions.fleet.fixed_nodes is not None:
        yield from _gpu_nodes(week, assumptions, "GPU nodes")
        return
    for model, its_week in zip(assumptions.models, by_model, strict=True):
        for line in _gpu_nodes(its_week, model, f"GPU nodes of {model.served}"):
            yield replace(line, model=model.served)


def _gpu_nodes(week: FleetWeek, assumptions: Assumptions, name: str) -> Iterator[Line]:
    mean = _mean_machines(week, assumptions)
    busy = to_decimal(week.busy_share)
    shares = ((f"{name}, busy {busy:.0%}", busy), (f"{name}, idle {1 - busy:.0%}", 1 - busy))
    node = assumptions.node
    if isinstance(node, RentedNode):
        hours = mean * assumptions.calendar.hours_per_month
        for item, share in shares:
            yield line_of(item, hours * share, "node-hour", node.price, grows=True)
    else:
        yield from _owned_nodes(node, mean, shares, assumptions)


def _mean_machines(week: FleetWeek, assumptions: Assumptions) -> Decimal:
    return to_decimal(week.mean_nodes) * assumptions.fleet.machines_per_node


def _root_volumes(nodes: GpuNodes, week: FleetWeek, assumptions: Assumptions) -> Iterator[Line]:
    if nodes.node_volume_class:
        price = assumptions.book.find(f"volume/{assumptions.cloud}/{nodes.node_volume_class}")
        gigabytes = _mean_machines(week, assumptions) * nodes.node_volume_gigabytes
        yield line_of("Root volumes of GPU nodes", gigabytes, "GB-month", price, grows=True)


def _owned_nodes(
    node: OwnedNode,
    mean: Decimal,
    shares: Iterable[tuple[str, Decimal]],
    assumptions: Assumptions,
) -> Iterator[Line]:
    months = node.amortisation_years * 12
    written_off = f"purchase over {months} months, {node.residual_share:.0%} residual"
    for item, share in shares:
        price = _stated("nodePurchasePrice", node.amortisation(), assumptions, written_off)
        yield line_of(f"{item}: amortisation", mean * share, "node-month", price, grows=True)
    kilowatt_hours = (
        mean
        * Decimal(node.power_watts)
        / 1000
        * assumptions.calendar.hours_per_month
        * node.power_usage_effectiveness
    )
    draw = f"{node.power_watts:,} W at the wall x PUE {node.power_usage_effectiveness}"
    price = _stated("electricityPricePerKwh", node.electricity_price_per_kwh, assumptions, draw)
    yield line_of("Electricity and cooling", kilowatt_hours, "kWh", price, grows=True)
    if node.rack_and_support_per_month:
        price = _stated("rackAndSupportPerNodeMonth", node.rack_and_support_per_month, assumptions)
        yield line_of("Rack, network port, support", mean, "node-month", price, grows=True)


def _volume(name: str, volume: Volume, assumptions: Assumptions) -> Line:
    price = assumptions.book.find(f"volume/{assumptions.cloud}/{volume.storage_class}")
    item = f"Volume {name} ({volume.storage_class})"
    line = line_of(item, volume.gigabytes, "GB-month", price)
    return replace(line, model=_model_of(volume.instance, assumptions))


def _model_of(instance: str, assumptions: Assumptions) -> str:
    """Returns the model whose object it is; empty for what all share, and in a stack of one."""
    if not assumptions.others:
        return ""
    return next((model.served for model in assumptions.models if model.instance == instance), "")


def _load_balancer(balancer: LoadBalancer, assumptions: Assumptions) -> Iterator[Line]:
    base, traffic = _LOAD_BALANCERS.get(
        assumptions.cloud, (f"load-balancer/{assumptions.cloud}", None)
    )
    model = _model_of(balancer.instance, assumptions)
    of = f" of {model}" if model else ""
    base_line = line_of(f"Load balancer{of}", Decimal(1), "month", assumptions.book.find(base))
    yield replace(base_line, model=model)
    if traffic is None:
        return
    behind = [one for one in assumptions.models if model in ("", one.served)]
    tokens = sum(one.load.tokens_per_day for one in behind) * assumptions.calendar.days_per_month
    gigabytes = tokens * BYTES_PER_TOKEN / 10**9
    price = assumptions.book.find(traffic)
    if price.unit == "GB":
        quantity, unit = gigabytes, "GB"
    else:
        # One LCU carries 1 GB an hour; connections and new flows of this traffic are far below it.
        quantity, unit = gigabytes / assumptions.calendar.hours_per_month, "LCU-month"
    yield replace(line_of(f"Load balancer{of}, traffic", quantity, unit, price), model=model)


def _control_plane(assumptions: Assumptions) -> Iterator[Line]:
    cluster = assumptions.cluster
    if cluster.control_plane is None or not cluster.control_plane_share:
        return
    price = assumptions.book.find(f"control-plane/{cluster.control_plane}")
    item = f"Control plane ({cluster.control_plane})"
    yield line_of(item, cluster.control_plane_share, "month", price)


def _system_nodes(assumptions: Assumptions) -> Iterator[Line]:
    cluster = assumptions.cluster
    if not cluster.system_nodes:
        return
    price = assumptions.book.node(
        assumptions.cloud, assumptions.region, cluster.system_instance_type, "on-demand"
    )
    hours = cluster.system_nodes * assumptions.calendar.hours_per_month
    yield line_of(
        f"Monitoring, {cluster.system_nodes} x {cluster.system_instance_type}",
        hours,
        "node-hour",
        price,
    )


def _nat_gateway(assumptions: Assumptions) -> Iterator[Line]:
    """Prices the gateway, and the images that pass it; requests and answers are text and small."""
    cluster = assumptions.cluster
    share = cluster.nat_gateway_share
    if not share:
        return
    price = assumptions.book.find(f"nat/{assumptions.cloud}/gateway")
    yield line_of("NAT gateway", share, "month", price)
    weeks = [model.simulated.totals for model in assumptions.models]
    starts_an_hour = sum(week.node_starts / week.hours for week in weeks)
    if assumptions.fleet.fixed_nodes is None and starts_an_hour:
        a_month = starts_an_hour * float(assumptions.calendar.hours_per_month)
        gigabytes = to_decimal(a_month) * cluster.image_gigabytes
        price = assumptions.book.find(f"nat/{assumptions.cloud}/gb")
        yield line_of("NAT gateway, images of started nodes", gigabytes, "GB", price)


def _overflow(assumptions: Assumptions) -> Iterator[Line]:
    """Prices what the stack's gateway sends to the APIs in use, on saturation and cold start."""
    for model in assumptions.models:
        if model.simulated.totals.overflow_share:
            line = _overflow_of(model)
            named = f"{OVERFLOW} of {model.served}" if assumptions.others else OVERFLOW
            yield replace(line, item=named, model=model.served if assumptions.others else "")


def _overflow_of(assumptions: Assumptions) -> Line:
    share = assumptions.simulated.totals.overflow_share
    api, calendar = assumptions.api_in_use, assumptions.calendar
    tokens = Decimal(assumptions.load.tokens_per_day) * calendar.days_per_month
    price = Price(
        identifier=f"api/{api.reference}",
        usd=api.usd_per_million_tokens,
        unit="million tokens",
        source=api.source,
        as_of=api.as_of,
        confidence="list",
    )
    return line_of(OVERFLOW, tokens * to_decimal(share) / 10**6, "million tokens", price)


def people_lines(assumptions: Assumptions) -> tuple[Line, ...]:
    """Returns what people cost a month, contingency aside."""
    people = assumptions.people
    salary = _stated("engineerSalary", people.engineer_salary / 12, assumptions)
    item = f"Senior engineer, {people.engineer_share:.0%}"
    lines = [line_of(item, people.engineer_share, "engineer-month", salary)]
    if people.on_call_per_month:
        on_call = _stated("onCallPerMonth", people.on_call_per_month, assumptions)
        lines.append(line_of("On-call", Decimal(1), "month", on_call))
    return tuple(lines)


def line_of(item: str, quantity: Decimal, unit: str, price: Price, *, grows: bool = False) -> Line:
    """Returns a line at a price; `grows` where it doubles with the number of GPU nodes."""
    return Line(
        identifier=price.identifier,
        item=item,
        quantity=quantity,
        unit=unit,
        unit_price=price.usd,
        source=price.source,
        as_of=None if price.confidence == "user" else price.as_of,
        confidence=price.confidence,
        grows_with_nodes=grows,
        private=price.private,
    )


def _stated(
    setting: str, usd: Decimal, assumptions: Assumptions, source: str = "stack setting"
) -> Price:
    """Returns what a setting states as a price."""
    return Price(
        identifier=setting,
        usd=usd,
        unit="unit",
        source=source,
        as_of=assumptions.book.today,
        confidence="user",
    )


def to_cents(value: Decimal) -> Decimal:
    """Rounds USD to cents, half up."""
    return value.quantize(_CENT, ROUND_HALF_UP)


def to_decimal(value: float) -> Decimal:
    """Turns a simulated figure into a Decimal of nine places, more than it is worth."""
    return Decimal(repr(round(value, 9)))
