"""The lines of the bill that no resource stands for: the cluster's share, overflow, people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

from breakeven.catalog.price import Price
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.line_item import LineItem, line_item, stated_price
from breakeven.cost.fleet.plan import FleetWeek
from breakeven.formatting import to_decimal

_Weeks: TypeAlias = Sequence[FleetWeek]


def _control_plane(assumptions: Assumptions, _weeks: _Weeks) -> Iterator[LineItem]:
    cluster = assumptions.cluster
    if cluster.control_plane is None or not cluster.control_plane_share:
        return
    price = assumptions.book.find(f"control-plane/{cluster.control_plane}")
    item = f"Control plane ({cluster.control_plane})"
    yield line_item("control-plane", item, cluster.control_plane_share, "month", price)


def _system_nodes(assumptions: Assumptions, _weeks: _Weeks) -> Iterator[LineItem]:
    cluster = assumptions.cluster
    if not cluster.system_nodes:
        return
    price = assumptions.book.node(
        assumptions.cloud, assumptions.region, cluster.system_instance_type, "on-demand"
    )
    hours = cluster.system_nodes * assumptions.calendar.hours_per_month
    item = f"Monitoring, {cluster.system_nodes} x {cluster.system_instance_type}"
    yield line_item("cpu-nodes", item, hours, "node-hour", price)


def _nat_gateway(assumptions: Assumptions, weeks: _Weeks) -> Iterator[LineItem]:
    """Prices the gateway, and the images that pass it; requests and answers are text and small."""
    cluster = assumptions.cluster
    share = cluster.nat_gateway_share
    if not share:
        return
    price = assumptions.book.find(f"nat/{assumptions.cloud}/gateway")
    yield line_item("nat-gateway", "NAT gateway", share, "month", price)
    # A replica that spans several machines pulls the image to each of them.
    an_hour = sum(
        week.node_starts_per_hour * model.fleet.machines_per_node * model.cluster.image_gigabytes
        for model, week in zip(assumptions.models, weeks, strict=True)
    )
    if assumptions.fleet.fixed_nodes is None and an_hour:
        gigabytes = to_decimal(an_hour * float(assumptions.calendar.hours_per_month))
        price = assumptions.book.find(f"nat/{assumptions.cloud}/gb")
        item = "NAT gateway, images of started nodes"
        yield line_item("nat-gateway", item, gigabytes, "GB", price)


def _overflow(assumptions: Assumptions, weeks: _Weeks) -> Iterator[LineItem]:
    """Prices what the stack's gateway sends to the APIs in use, on saturation and cold start."""
    for model, week in zip(assumptions.models, weeks, strict=True):
        if week.overflow_share:
            line = _overflow_of(model, week.overflow_share)
            named = replace(line, item=f"{line.item} of {model.served}", model=model.served)
            yield named if assumptions.others else line


def _overflow_of(assumptions: Assumptions, share: float) -> LineItem:
    api = assumptions.api_in_use
    tokens = assumptions.load.tokens_per_month(assumptions.calendar)
    price = Price(
        identifier=f"api/{api.reference}",
        usd=api.usd_per_million_tokens,
        unit="million tokens",
        source=api.source,
        as_of=api.as_of,
        confidence="list",
    )
    millions = tokens * to_decimal(share) / 10**6
    return line_item("overflow", "Overflow by API", millions, "million tokens", price)


CLUSTER_PARTS: tuple[Callable[[Assumptions, _Weeks], Iterator[LineItem]], ...] = (
    _control_plane,
    _system_nodes,
    _nat_gateway,
    _overflow,
)
"""What yields the lines of each part, from what the fleet of each model does; a part raises
PriceMissingError where it has no price."""


def staffing_items(assumptions: Assumptions) -> tuple[LineItem, ...]:
    """Returns what people cost a month, contingency aside."""
    staffing = assumptions.staffing
    salary = stated_price("engineerSalary", staffing.engineer_salary / 12, assumptions)
    item = f"Senior engineer, {staffing.engineer_share:.0%}"
    lines = [line_item("people", item, staffing.engineer_share, "engineer-month", salary)]
    if staffing.on_call_per_month:
        on_call = stated_price("onCallPerMonth", staffing.on_call_per_month, assumptions)
        lines.append(line_item("people", "On-call", Decimal(1), "month", on_call))
    return tuple(lines)
