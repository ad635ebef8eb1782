"""Charges without a resource: the cluster's share, overflow, staffing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from breakeven.catalog.clouds import find_cloud
from breakeven.catalog.price import Price
from breakeven.catalog.storage_classes import storage_class
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.activity import BYTES_PER_TOKEN, Activity
from breakeven.cost.bill.charge import Charge, Driver, Part, Unpriced, UnpricedReason, driven
from breakeven.cost.bill.line_item import LineItem, line_item, stated_price
from breakeven.cost.bill.node_cost import OwnedNode


def cluster_charges(assumptions: Assumptions, activities: Mapping[str, Activity]) -> Iterator[Part]:
    """Yields what a stack bears of its cluster, and what its gateway sends to an API.

    Args:
        assumptions: Of the stack.
        activities: See `activities_of`.
    """
    yield from _control_plane(assumptions)
    yield from _system_nodes(assumptions)
    yield from _gateway_nodes(assumptions, activities[""])
    yield from _nat_gateway(assumptions)
    yield from _logs(assumptions)
    yield from _shared_hardware(assumptions)
    for model, activity in activities.items():
        if bool(model) == (len(activities) > 1):
            yield from _of_model(model, activity)


def _of_model(model: str, activity: Activity) -> Iterator[Charge]:
    """Yields what grows with what the replicas of a model do."""
    assumptions = activity.assumptions
    charges = (
        *_through_nat(assumptions),
        *_between_zones(assumptions),
        *_reads(assumptions),
        *_registry(assumptions),
        _overflow(assumptions),
        *_escalation(assumptions),
    )
    for charge, driver in charges:
        if driver is Driver.NOTHING:
            yield replace(charge, model=model)
        else:
            yield driven(charge, driver, activity.amount_of(driver), model)


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


def _gateway_nodes(assumptions: Assumptions, activity: Activity) -> Iterator[Part]:
    """Yields the part of CPU nodes that the gateway's pods take: what always runs, and the rest."""
    cluster, pods = assumptions.cluster, assumptions.cluster.gateway
    if pods is None:
        return
    machine, hours = cluster.system_instance_type, assumptions.calendar.hours_per_month
    shape = next(
        (
            each
            for each in assumptions.book.machines(assumptions.cloud)
            if each.instance_type == machine
        ),
        None,
    )
    if shape is None or not shape.vcpus or not shape.memory_gib:
        yield Unpriced(UnpricedReason.CPU_NODES_UNKNOWN)
        return
    pod, beside = pods.share_of_node(shape.vcpus, shape.memory_gib)
    always = Charge(
        kind="gateway-nodes",
        identifier=f"node/{assumptions.cloud}/{assumptions.region}/{machine}/on-demand",
        quantity=(pods.lowest * pods.sets * pod + beside) * hours,
        unit="node-hour",
        variant=machine,
        count=pods.lowest * pods.sets,
    )
    yield always
    more = replace(always, kind="gateway-nodes-of-load", quantity=pod * hours, count=0)
    yield driven(more, Driver.GATEWAY_PODS, activity.amount_of(Driver.GATEWAY_PODS))


def _nat_gateway(assumptions: Assumptions) -> Iterator[Charge]:
    """Yields the gateway where it has one price, or that of the CPU nodes behind it."""
    cluster, machines = assumptions.cluster, find_cloud(assumptions.cloud).nat_machines
    gateways = Decimal(1)
    if machines is not None:
        gateways = Decimal(cluster.system_nodes) / machines
    if cluster.nat_gateway_share and gateways:
        yield Charge(
            kind="nat-gateway",
            identifier=f"nat/{assumptions.cloud}/gateway",
            quantity=cluster.nat_gateway_share * gateways,
            unit="month",
        )
    if cluster.nat_gateway_share:
        yield Charge(
            kind="public-address",
            identifier=f"ip/{assumptions.cloud}/ipv4",
            quantity=cluster.nat_gateway_share,
            unit="month",
        )


def _shared_hardware(assumptions: Assumptions) -> Iterator[Charge]:
    """Yields head nodes, storage servers and switches of owned nodes, and what they draw."""
    node, today = assumptions.node, assumptions.book.today
    if not isinstance(node, OwnedNode):
        return
    if node.shared_price:
        yield Charge(
            kind="shared-hardware",
            quantity=Decimal(1),
            price=stated_price("pricing.owned.sharedPurchasePrice", node.shared(), today),
            unit="month",
        )
    if node.shared_watts:
        yield Charge(
            kind="shared-electricity",
            quantity=node.kilowatt_hours(Decimal(node.shared_watts), assumptions.calendar),
            price=stated_price(
                "pricing.owned.electricityPricePerKwh", node.electricity_price_per_kwh, today
            ),
            unit="kWh",
        )


def _logs(assumptions: Assumptions) -> Iterator[Charge]:
    if assumptions.cluster.log_gigabytes:
        yield Charge(
            kind="logs",
            identifier=f"logs/{assumptions.cloud}/ingestion",
            quantity=assumptions.cluster.log_gigabytes,
            unit="GB",
        )


def _registry(model: Assumptions) -> Iterator[tuple[Charge, Driver]]:
    """Yields the image of the weights, where they come in one from a registry of the cloud."""
    cluster = model.cluster
    if cluster.weights_gigabytes and not cluster.weights_class and model.cloud != "none":
        image = Charge(
            kind="registry",
            identifier=f"registry/{model.cloud}/storage",
            quantity=cluster.weights_gigabytes,
            unit="GB-month",
        )
        yield image, Driver.NOTHING


def _through_nat(model: Assumptions) -> Iterator[tuple[Charge, Driver]]:
    """Yields the nodes, where a gateway is paid by machine, their images, and text to an API."""
    share, machines = model.cluster.nat_gateway_share, find_cloud(model.cloud).nat_machines
    if not share:
        return
    per_node = model.fleet.machines_per_node
    if machines is not None:
        nodes = Charge(
            kind="nat-gateway-nodes",
            identifier=f"nat/{model.cloud}/gateway",
            quantity=share * per_node / machines,
            unit="month",
            on_cpus=model.engine.gpu.is_cpu,
        )
        yield nodes, Driver.NODES
    gigabyte = Charge(
        kind="nat-gateway-images",
        identifier=f"nat/{model.cloud}/gb",
        # A replica that spans several machines pulls the image to each of them.
        quantity=model.cluster.image_gigabytes * per_node * model.calendar.hours_per_month,
        unit="GB",
    )
    if model.fleet.fixed_nodes is None:
        yield gigabyte, Driver.NODE_STARTS
    if model.overflows:
        text = model.calendar.days_per_month * BYTES_PER_TOKEN / 10**9
        yield replace(gigabyte, kind="nat-gateway-text", quantity=text), Driver.OVERFLOW


def _between_zones(model: Assumptions) -> Iterator[tuple[Charge, Driver]]:
    """Yields text between the gateway and replicas, as if all of them were in other zones."""
    ends = find_cloud(model.cloud).zone_traffic_ends
    if model.cluster.gateway is not None and ends:
        text = Charge(
            kind="zone-traffic",
            identifier=f"egress/{model.cloud}/between-zones",
            quantity=ends * model.calendar.days_per_month * BYTES_PER_TOKEN / 10**9,
            unit="GB",
        )
        yield text, Driver.TOKENS


def _reads(model: Assumptions) -> Iterator[tuple[Charge, Driver]]:
    """Yields the weights that replicas read when they start, where the storage charges reads."""
    cluster = model.cluster
    if not storage_class(model.cloud, cluster.weights_class).charges_reads:
        return
    reads = Charge(
        kind="volume-reads",
        identifier=f"volume/{model.cloud}/{cluster.weights_class}-read",
        quantity=cluster.weights_gigabytes * model.calendar.hours_per_month,
        unit="GB",
        variant=cluster.weights_class,
    )
    yield reads, Driver.REPLICA_STARTS


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
