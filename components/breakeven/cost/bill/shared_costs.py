"""Charges that no resource stands for: the cluster's share, overflow, staffing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from breakeven.catalog.price import Price
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.activity import Activity
from breakeven.cost.bill.charge import Charge, Driver, driven
from breakeven.cost.bill.line_item import LineItem, line_item, stated_price


def cluster_charges(
    assumptions: Assumptions, activities: Mapping[str, Activity]
) -> Iterator[Charge]:
    """Yields what a stack bears of its cluster, and what its gateway sends to an API.

    Args:
        assumptions: Of the stack.
        activities: See `activities_of`.
    """
    yield from _control_plane(assumptions)
    yield from _system_nodes(assumptions)
    yield from _nat_gateway(assumptions)
    for model, activity in activities.items():
        if bool(model) == (len(activities) > 1):
            yield from _of_model(model, activity)


def _of_model(model: str, activity: Activity) -> Iterator[Charge]:
    assumptions = activity.assumptions
    for charge, driver in (
        *_images(assumptions),
        _overflow(assumptions),
        *_escalation(assumptions),
    ):
        yield driven(replace(charge, model=model), driver, activity.amount_of(driver))


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


def _nat_gateway(assumptions: Assumptions) -> Iterator[Charge]:
    share = assumptions.cluster.nat_gateway_share
    if share:
        yield Charge(
            kind="nat-gateway",
            identifier=f"nat/{assumptions.cloud}/gateway",
            quantity=share,
            unit="month",
        )


def _images(model: Assumptions) -> Iterator[tuple[Charge, Driver]]:
    """Yields the images that pass the gateway; requests and answers are text and small."""
    if not model.cluster.nat_gateway_share or model.fleet.fixed_nodes is not None:
        return
    # A replica that spans several machines pulls the image to each of them.
    pulled = model.cluster.image_gigabytes * model.fleet.machines_per_node
    charge = Charge(
        kind="nat-gateway-images",
        identifier=f"nat/{model.cloud}/gb",
        quantity=pulled * model.calendar.hours_per_month,
        unit="GB",
    )
    yield charge, Driver.NODE_STARTS


def _overflow(model: Assumptions) -> tuple[Charge, Driver]:
    api = model.overflow_price
    price = Price(
        identifier=f"api/{api.reference}",
        usd=api.usd_per_million_tokens,
        unit="million tokens",
        source=api.source,
        as_of=api.as_of,
        confidence="list",
    )
    a_month = model.calendar.days_per_month / 10**6
    return Charge(kind="overflow", quantity=a_month, price=price), Driver.OVERFLOW


def _escalation(model: Assumptions) -> Iterator[tuple[Charge, Driver]]:
    """Yields what an API takes for answers that were not good enough."""
    again = model.escalation
    if again is None:
        return
    price = Price(
        identifier=f"api/{again.api.reference}",
        usd=again.usd_per_request / model.load.tokens_per_request * 10**6,
        unit="million tokens",
        source=again.api.source,
        as_of=again.api.as_of,
        confidence="list",
    )
    a_month = model.calendar.days_per_month / 10**6
    charge = Charge(kind="escalation", quantity=a_month, price=price, share=again.share)
    yield charge, Driver.ANSWERED


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
