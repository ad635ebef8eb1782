"""What any Pulumi program registers, priced by the book: machines, volumes, clusters, addresses.

For programs that have nothing to do with models. What runs all hours is billed all hours; nothing
is simulated, because nothing is known about its load. What has no rule or no price is listed,
never taken for free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from breakeven.catalog.price import PriceMissingError
from breakeven.catalog.price_book import PriceBook
from breakeven.cost.bill.classify import (
    Free,
    InPool,
    LoadBalancer,
    Registered,
    Unknown,
    Volume,
    Workload,
    classify,
    parse_quantity,
)
from breakeven.cost.bill.line_item import (
    Infrastructure,
    LineItem,
    LineItemKind,
    NotPriced,
    line_item,
)
from breakeven.cost.bill.pricing import balancer_prices
from breakeven.cost.calendar import CALENDAR_MONTH

_KINDS: Mapping[str, LineItemKind] = {
    "node": "machine",
    "volume": "volume",
    "control-plane": "control-plane",
    "load-balancer": "load-balancer",
    "nat": "nat-gateway",
}
"""What a line pays for, by the first part of a price's identifier."""

_IOPS_PRICED = ("io1", "io2")
_IMAGE_DECIDES = "its size comes from the machine's image; state it in rootBlockDevice.volumeSize"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program's resources are, unless they say it themselves: cloud and region."""

    cloud: str
    region: str


@dataclass(frozen=True, slots=True)
class _Charge:
    """So much of something that the book has a price for, a month.

    `part` names what of the resource it is; empty for the resource itself.
    """

    identifier: str
    quantity: Decimal
    part: str = ""


@dataclass(frozen=True, slots=True)
class _Unpriced:
    """A part of a resource that no price is known for, and why."""

    reason: str
    part: str = ""


_Part: TypeAlias = _Charge | _Unpriced
_Rule: TypeAlias = Callable[[Mapping[str, object], Place], Sequence[_Part]]


def price_program(resources: Iterable[Registered], book: PriceBook, place: Place) -> Infrastructure:
    """Prices what a program registered.

    Args:
        resources: The ledger.
        book: Prices.
        place: Where it is.
    """
    lines: list[LineItem] = []
    free: list[str] = []
    unpriced: list[NotPriced] = []
    for resource in resources:
        parts = _parts(resource, place)
        if not parts:
            free.append(resource.name)
        for part in parts:
            name = f"{resource.name}, {part.part}" if part.part else resource.name
            if isinstance(part, _Unpriced):
                unpriced.append(NotPriced(name, resource.type, part.reason))
                continue
            try:
                lines.append(_line(name, part, book))
            except PriceMissingError as missing:
                reason = f"no price {missing.identifier}; state one in prices"
                unpriced.append(NotPriced(name, resource.type, reason))
    return Infrastructure(tuple(lines), tuple(free), tuple(unpriced))


def _line(name: str, charge: _Charge, book: PriceBook) -> LineItem:
    price = book.find(charge.identifier)
    path = charge.identifier.split("/")
    what = path[-2] if path[0] == "node" else path[-1]
    return line_item(_KINDS[path[0]], f"{name} ({what})", charge.quantity, price.unit, price)


def _parts(resource: Registered, place: Place) -> Sequence[_Part]:
    """Says what a resource is charged by; nothing where it is free of charge."""
    rule = _RULES.get(resource.type)
    if rule is not None:
        if resource.properties is None:
            return [_Unpriced("its inputs could not be read")]
        return rule(resource.properties, place)
    quantity = classify(resource)
    if isinstance(quantity, Volume):
        return [_Charge(f"volume/{place.cloud}/{quantity.storage_class}", quantity.gigabytes)]
    if isinstance(quantity, LoadBalancer):
        month, _ = balancer_prices(place.cloud)
        return [_Charge(month, Decimal(1))]
    if isinstance(quantity, Free | InPool | Workload):
        return ()
    reason = quantity.reason if isinstance(quantity, Unknown) else "priced by its own stack alone"
    return [_Unpriced(reason)]


def _ec2_instance(properties: Mapping[str, object], place: Place) -> Sequence[_Part]:
    market = properties.get("instanceMarketOptions")
    spot = isinstance(market, Mapping) and market.get("marketType") == "spot"
    machine = _machines("aws", place, properties.get("instanceType"), Decimal(1), spot=spot)
    root = properties.get("rootBlockDevice")
    parts = [machine]
    if isinstance(root, Mapping) and root.get("volumeSize") is not None:
        parts += _aws_disk(root, "volumeType", "volumeSize", "root volume")
    else:
        parts.append(_Unpriced(_IMAGE_DECIDES, "root volume"))
    further = properties.get("ebsBlockDevices")
    for device in further if isinstance(further, Sequence) else ():
        if isinstance(device, Mapping):
            name = f"volume {device.get('deviceName', '')}".rstrip()
            parts += _aws_disk(device, "volumeType", "volumeSize", name)
    return parts


def _node_group(properties: Mapping[str, object], place: Place) -> Sequence[_Part]:
    types, scaling = properties.get("instanceTypes"), properties.get("scalingConfig")
    first = types[0] if isinstance(types, Sequence) and types else None
    count = scaling.get("desiredSize") if isinstance(scaling, Mapping) else None
    nodes = parse_quantity(count)
    if nodes is None:
        return [_Unpriced("its number of nodes is not known at preview")]
    spot = properties.get("capacityType") == "SPOT"
    volumes = _Unpriced("their type comes from the machines' image", "root volumes of its nodes")
    return [_machines("aws", place, first, nodes, spot=spot), volumes]


def _azure_machine(properties: Mapping[str, object], place: Place) -> Sequence[_Part]:
    spot = properties.get("priority") == "Spot"
    return [_machines("azure", place, properties.get("size"), Decimal(1), spot=spot)]


def _gcp_instance(properties: Mapping[str, object], place: Place) -> Sequence[_Part]:
    scheduling = properties.get("scheduling")
    spot = isinstance(scheduling, Mapping) and (
        scheduling.get("provisioningModel") == "SPOT" or scheduling.get("preemptible") is True
    )
    return [_machines("gcp", place, properties.get("machineType"), Decimal(1), spot=spot)]


def _machines(cloud: str, place: Place, kind: object, count: Decimal, *, spot: bool) -> _Part:
    if not isinstance(kind, str):
        return _Unpriced("its machine type is not known at preview")
    if cloud != place.cloud:
        return _Unpriced(f"it is of {cloud}, and the program is priced for {place.cloud}")
    capacity_type = "spot" if spot else "on-demand"
    identifier = f"node/{cloud}/{place.region}/{kind}/{capacity_type}"
    return _Charge(identifier, count * CALENDAR_MONTH.hours_per_month)


def _aws_volume(properties: Mapping[str, object], _place: Place) -> Sequence[_Part]:
    return _aws_disk(properties, "type", "size", "")


def _aws_disk(
    properties: Mapping[str, object], type_key: str, size_key: str, part: str
) -> Sequence[_Part]:
    kind = properties.get(type_key) or "gp2"
    disk = _disk("aws", kind, properties.get(size_key), part)
    if kind not in _IOPS_PRICED:
        return [disk]
    name = f"{part}, IOPS" if part else "IOPS"
    operations = parse_quantity(properties.get("iops"))
    if operations is None:
        return [disk, _Unpriced("their number is not known at preview", name)]
    return [disk, _Charge(f"volume/aws/{kind}-iops", operations, name)]


def _gcp_disk(properties: Mapping[str, object], _place: Place) -> Sequence[_Part]:
    return [_disk("gcp", properties.get("type") or "pd-standard", properties.get("size"), "")]


def _disk(cloud: str, kind: object, size: object, part: str) -> _Part:
    gigabytes = parse_quantity(size)
    if not isinstance(kind, str) or gigabytes is None:
        return _Unpriced("its size or type is not known at preview", part)
    return _Charge(f"volume/{cloud}/{kind}", gigabytes, part)


def _each(identifier: str) -> _Rule:
    return lambda _properties, _place: [_Charge(identifier, Decimal(1))]


_RULES: Mapping[str, _Rule] = {
    "aws:ec2/instance:Instance": _ec2_instance,
    "aws:eks/nodeGroup:NodeGroup": _node_group,
    "aws:eks/cluster:Cluster": _each("control-plane/eks"),
    "aws:ebs/volume:Volume": _aws_volume,
    "aws:ec2/natGateway:NatGateway": _each("nat/aws/gateway"),
    "azure:compute/linuxVirtualMachine:LinuxVirtualMachine": _azure_machine,
    "azure:containerservice/kubernetesCluster:KubernetesCluster": _each("control-plane/aks"),
    "gcp:compute/instance:Instance": _gcp_instance,
    "gcp:compute/disk:Disk": _gcp_disk,
    "gcp:container/cluster:Cluster": _each("control-plane/gke"),
}
"""By type token of Pulumi's providers; a further type is a further entry."""
