"""What any Pulumi program registers, priced by the book: machines, volumes, clusters, addresses.

For programs that have nothing to do with models. What runs all hours is billed all hours; nothing
is simulated, because nothing is known about its load. What has no rule or no price is listed,
never taken for free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from components.cost.calendar import CALENDAR_MONTH
from components.cost.line import Line, Machines, NotPriced, line_of
from components.cost.price import PriceMissingError
from components.cost.price_book import PriceBook
from components.cost.quantities import (
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

_BALANCERS = {
    "aws": "load-balancer/aws/nlb",
    "azure": "load-balancer/azure/standard",
    "gcp": "load-balancer/gcp/forwarding-rule",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a program's resources are, unless they say it themselves: cloud and region."""

    cloud: str
    region: str


@dataclass(frozen=True, slots=True)
class _Charge:
    """So much of something that the book has a price for, a month."""

    identifier: str
    quantity: Decimal


_Rule = Callable[[Mapping[str, object], Place], "_Charge | Unknown"]


def price_program(resources: Iterable[Registered], book: PriceBook, place: Place) -> Machines:
    """Prices what a program registered.

    Args:
        resources: The ledger.
        book: Prices.
        place: Where it is.
    """
    lines: list[Line] = []
    free: list[str] = []
    unpriced: list[NotPriced] = []
    for resource in resources:
        charge = _charge(resource, place)
        if charge is None:
            free.append(resource.name)
        elif isinstance(charge, Unknown):
            unpriced.append(NotPriced(resource.name, resource.type, charge.reason))
        else:
            try:
                price = book.find(charge.identifier)
            except PriceMissingError as missing:
                reason = f"no price {missing.identifier}; state one in prices"
                unpriced.append(NotPriced(resource.name, resource.type, reason))
            else:
                what = charge.identifier.split("/")
                kind = what[-2] if what[0] == "node" else what[-1]
                lines.append(
                    line_of(f"{resource.name} ({kind})", charge.quantity, price.unit, price)
                )
    return Machines(tuple(lines), tuple(free), tuple(unpriced))


def _charge(resource: Registered, place: Place) -> _Charge | Unknown | None:
    """Says what a resource is charged by; None where it is free of charge."""
    rule = _RULES.get(resource.type)
    if rule is not None:
        if resource.properties is None:
            return Unknown("its inputs could not be read")
        return rule(resource.properties, place)
    quantity = classify(resource)
    if isinstance(quantity, Volume):
        identifier = f"volume/{place.cloud}/{quantity.storage_class}"
        return _Charge(identifier, quantity.gigabytes)
    if isinstance(quantity, LoadBalancer):
        fallback = f"load-balancer/{place.cloud}"
        return _Charge(_BALANCERS.get(place.cloud, fallback), Decimal(1))
    if isinstance(quantity, Free | InPool | Workload):
        return None
    return quantity if isinstance(quantity, Unknown) else Unknown("priced by its own stack alone")


def _machine(cloud: str, key: str) -> _Rule:
    def rule(properties: Mapping[str, object], place: Place) -> _Charge | Unknown:
        return _machines(cloud, place, properties.get(key), Decimal(1))

    return rule


def _node_group(properties: Mapping[str, object], place: Place) -> _Charge | Unknown:
    types, scaling = properties.get("instanceTypes"), properties.get("scalingConfig")
    first = types[0] if isinstance(types, Sequence) and types else None
    count = scaling.get("desiredSize") if isinstance(scaling, Mapping) else None
    nodes = parse_quantity(count)
    if nodes is None:
        return Unknown("its number of nodes is not known at preview")
    return _machines("aws", place, first, nodes)


def _machines(cloud: str, place: Place, kind: object, count: Decimal) -> _Charge | Unknown:
    if not isinstance(kind, str):
        return Unknown("its machine type is not known at preview")
    if cloud != place.cloud:
        return Unknown(f"it is of {cloud}, and the program is priced for {place.cloud}")
    identifier = f"node/{cloud}/{place.region}/{kind}/on-demand"
    return _Charge(identifier, count * CALENDAR_MONTH.hours_per_month)


def _disk(cloud: str, type_key: str, default: str, size_key: str) -> _Rule:
    def rule(properties: Mapping[str, object], place: Place) -> _Charge | Unknown:  # noqa: ARG001
        kind, size = properties.get(type_key, default), parse_quantity(properties.get(size_key))
        if not isinstance(kind, str) or size is None:
            return Unknown("its size or type is not known at preview")
        return _Charge(f"volume/{cloud}/{kind}", size)

    return rule


def _each(identifier: str) -> _Rule:
    return lambda _properties, _place: _Charge(identifier, Decimal(1))


_RULES: Mapping[str, _Rule] = {
    "aws:ec2/instance:Instance": _machine("aws", "instanceType"),
    "aws:eks/nodeGroup:NodeGroup": _node_group,
    "aws:eks/cluster:Cluster": _each("control-plane/eks"),
    "aws:ebs/volume:Volume": _disk("aws", "type", "gp2", "size"),
    "aws:ec2/natGateway:NatGateway": _each("nat/aws/gateway"),
    "azure:compute/linuxVirtualMachine:LinuxVirtualMachine": _machine("azure", "size"),
    "azure:containerservice/kubernetesCluster:KubernetesCluster": _each("control-plane/aks"),
    "gcp:compute/instance:Instance": _machine("gcp", "machineType"),
    "gcp:compute/disk:Disk": _disk("gcp", "type", "pd-standard", "size"),
    "gcp:container/cluster:Cluster": _each("control-plane/gke"),
}
"""By type token of Pulumi's providers; a further type is a further entry."""
