"""The lines of the bill that no resource stands for: the cluster's share, overflow, people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

from components.cost.assumptions import Assumptions
from components.cost.figures import to_decimal
from components.cost.line import OVERFLOW, Line, line_of, stated_price
from components.cost.price import Price


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
    # A replica that spans several machines pulls the image to each of them.
    starts_an_hour = sum(
        model.simulated.totals.node_starts
        / model.simulated.totals.hours
        * model.fleet.machines_per_node
        for model in assumptions.models
    )
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


CLUSTER_PARTS: tuple[Callable[[Assumptions], Iterator[Line]], ...] = (
    _control_plane,
    _system_nodes,
    _nat_gateway,
    _overflow,
)
"""What yields the lines of each part; a part raises PriceMissingError where it has no price."""


def people_lines(assumptions: Assumptions) -> tuple[Line, ...]:
    """Returns what people cost a month, contingency aside."""
    people = assumptions.people
    salary = stated_price("engineerSalary", people.engineer_salary / 12, assumptions)
    item = f"Senior engineer, {people.engineer_share:.0%}"
    lines = [line_of(item, people.engineer_share, "engineer-month", salary)]
    if people.on_call_per_month:
        on_call = stated_price("onCallPerMonth", people.on_call_per_month, assumptions)
        lines.append(line_of("On-call", Decimal(1), "month", on_call))
    return tuple(lines)
