"""Charges that no resource stands for: the cluster's share, overflow, staffing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from breakeven.catalog.price import Price
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.charge import Charge
from breakeven.cost.bill.line_item import LineItem, line_item, stated_price
from breakeven.cost.fleet.plan import FleetWeek
from breakeven.money import to_decimal


def cluster_charges(assumptions: Assumptions, weeks: Sequence[FleetWeek]) -> Iterator[Charge]:
    """Yields what a stack bears of its cluster, and what its gateway sends to an API.

    Args:
        assumptions: Of the stack.
        weeks: What the fleet of each model does.
    """
    yield from _control_plane(assumptions)
    yield from _system_nodes(assumptions)
    yield from _nat_gateway(assumptions, weeks)
    for model, week in zip(assumptions.models, weeks, strict=True):
        if week.overflow_share:
            name = model.model_name if assumptions.others else ""
            yield _overflow(model, week.overflow_share, name)


def _control_plane(assumptions: Assumptions) -> Iterator[Charge]:
    cluster = assumptions.cluster
    if cluster.control_plane is not None and cluster.control_plane_share:
        yield Charge(
            kind="control-plane",
            identifier=f"control-plane/{cluster.control_plane}",
            quantity=cluster.control_plane_share,
            unit="month",
            variant=cluster.control_plane,
        )


def _system_nodes(assumptions: Assumptions) -> Iterator[Charge]:
    cluster = assumptions.cluster
    if cluster.system_nodes:
        machine = cluster.system_instance_type
        yield Charge(
            kind="cpu-nodes",
            identifier=f"node/{assumptions.cloud}/{assumptions.region}/{machine}/on-demand",
            quantity=cluster.system_nodes * assumptions.calendar.hours_per_month,
            unit="node-hour",
            variant=machine,
            count=cluster.system_nodes,
        )


def _nat_gateway(assumptions: Assumptions, weeks: Sequence[FleetWeek]) -> Iterator[Charge]:
    """Charges the gateway, and the images that pass it; requests and answers are text and small."""
    share = assumptions.cluster.nat_gateway_share
    if not share:
        return
    yield Charge(
        kind="nat-gateway",
        identifier=f"nat/{assumptions.cloud}/gateway",
        quantity=share,
        unit="month",
    )
    # A replica that spans several machines pulls the image to each of them.
    an_hour = sum(
        week.node_starts_per_hour * model.fleet.machines_per_node * model.cluster.image_gigabytes
        for model, week in zip(assumptions.models, weeks, strict=True)
    )
    if assumptions.fleet.fixed_nodes is None and an_hour:
        yield Charge(
            kind="nat-gateway-images",
            identifier=f"nat/{assumptions.cloud}/gb",
            quantity=to_decimal(an_hour * float(assumptions.calendar.hours_per_month)),
            unit="GB",
        )


def _overflow(model: Assumptions, share: float, name: str) -> Charge:
    api = model.api_in_use
    tokens = model.load.tokens_per_month(model.calendar)
    price = Price(
        identifier=f"api/{api.reference}",
        usd=api.usd_per_million_tokens,
        unit="million tokens",
        source=api.source,
        as_of=api.as_of,
        confidence="list",
    )
    return Charge(
        kind="overflow",
        quantity=tokens * to_decimal(share) / 10**6,
        price=price,
        model=name,
    )


def staffing_items(assumptions: Assumptions) -> tuple[LineItem, ...]:
    """Returns the monthly cost of staffing, without contingency."""
    staffing, today = assumptions.staffing, assumptions.book.today
    engineer = Charge(
        kind="engineer",
        quantity=staffing.engineer_share,
        unit="engineer-month",
        share=staffing.engineer_share,
    )
    salary = stated_price("staffing.engineerSalary", staffing.engineer_salary / 12, today)
    items = [line_item(engineer, salary)]
    if staffing.on_call_per_month:
        on_call = Charge(kind="on-call", quantity=Decimal(1), unit="month")
        pay = stated_price("staffing.onCallPerMonth", staffing.on_call_per_month, today)
        items.append(line_item(on_call, pay))
    return tuple(items)
