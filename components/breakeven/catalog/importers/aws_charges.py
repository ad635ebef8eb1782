"""Which products of the AWS price list are priced, and as what.

Machines are Linux on shared hardware, without further software, on demand and reserved (standard
class, no upfront payment). Infrastructure is found by product family and usage type; the latter
starts with a code of the region outside us-east-1, such as EUC1-EBS:VolumeUsage.gp3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from breakeven.catalog.importers.listing import Selection

HOURS_PER_MONTH = 730
"""AWS's own month, in which prices by the hour are stated monthly."""

_CODE = r"([A-Z0-9]+-)?"

_PLAIN = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "capacitystatus": "Used",
    "preInstalledSw": "NA",
    "operation": "RunInstances",
    "marketoption": "OnDemand",
}

_PURCHASES: Mapping[tuple[str, ...], str] = {
    ("OnDemand", "", "", ""): "on-demand",
    ("Reserved", "1yr", "No Upfront", "standard"): "reserved-1y",
    ("Reserved", "3yr", "No Upfront", "standard"): "reserved-3y",
}
"""Purchase by term type, lease contract length, purchase option and offering class."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What a product is priced as.

    Attributes:
        identifier: Of its price; of a machine without the purchase.
        unit: Unit of its price.
        units: Units of the list that stand for it, in small letters.
        times: What an amount of the list is multiplied by.
    """

    identifier: str
    unit: str = "node-hour"
    units: frozenset[str] = frozenset({"hrs"})
    times: Decimal = Decimal(1)

    @property
    def is_machine(self) -> bool:
        """Whether it is a machine, which can be reserved."""
        return self.unit == "node-hour"


@dataclass(frozen=True, slots=True)
class _Service:
    kind: str
    name: str
    family: str
    usage: str
    unit: str
    units: frozenset[str]
    times: Decimal = Decimal(1)


def _volume(name: str, usage: str, *, family: str = "Storage") -> _Service:
    return _Service("volume", name, family, usage, "GB-month", frozenset({"gb-mo"}))


def _by_hour(kind: str, name: str, family: str, usage: str, unit: str = "month") -> _Service:
    units = frozenset({"hrs", "hours", "lcu-hrs"})
    return _Service(kind, name, family, usage, unit, units, Decimal(HOURS_PER_MONTH))


_SERVICES = (
    *(_volume(name, f"EBS:VolumeUsage.{name}") for name in ("gp3", "sc1", "st1")),
    _volume("gp2", "EBS:VolumeUsage.gp2"),
    _volume("io1", "EBS:VolumeUsage.piops"),
    _volume("efs", "TimedStorage-ByteHrs"),
    _volume("efs-one-zone", "TimedStorage-Z-ByteHrs"),
    _Service(
        "volume",
        "gp3-iops",
        "System Operation",
        "EBS:VolumeP-IOPS.gp3",
        "unit-month",
        frozenset({"iops-mo"}),
    ),
    _Service(
        "volume",
        "io1-iops",
        "System Operation",
        "EBS:VolumeP-IOPS.piops",
        "unit-month",
        frozenset({"iops-mo"}),
    ),
    _Service(
        "volume",
        "gp3-throughput",
        "Provisioned Throughput",
        "EBS:VolumeP-Throughput.gp3",
        "unit-month",
        frozenset({"gibps-mo"}),
        1 / Decimal(1024),  # the book's unit is MiB/s
    ),
    _by_hour("nat", "gateway", "NAT Gateway", "NatGateway-Hours"),
    _Service("nat", "gb", "NAT Gateway", "NatGateway-Bytes", "GB", frozenset({"gb"})),
    _by_hour("load-balancer", "alb", "Load Balancer-Application", "LoadBalancerUsage"),
    _by_hour("load-balancer", "alb-lcu", "Load Balancer-Application", "LCUUsage", "unit-month"),
    _by_hour("load-balancer", "nlb", "Load Balancer-Network", "LoadBalancerUsage"),
    _by_hour("load-balancer", "nlb-lcu", "Load Balancer-Network", "LCUUsage", "unit-month"),
    _by_hour("control-plane", "eks", "Compute", "AmazonEKS-Hours:perCluster"),
    _by_hour("ip", "ipv4", "VPC Public IPv4 Address", "PublicIPv4:InUseAddress"),
)

_BY_USAGE = {(service.family, service.usage): service for service in _SERVICES}


def charge_of(product: Mapping[str, str | None], selection: Selection) -> Charge | None:
    """Returns what a product is priced as; None if it is not priced or not wanted.

    Args:
        product: Its attributes by the names of the JSON, and its productFamily.
        selection: What is wanted.
    """
    region = product.get("regionCode") or ""
    instance_type = product.get("instanceType") or ""
    if instance_type:
        plain = all(product.get(name) == value for name, value in _PLAIN.items())
        if plain and selection.takes("aws", region, instance_type):
            return Charge(f"node/aws/{region}/{instance_type}")
        return None
    if ("aws", region) not in selection.regions:
        return None
    usage = re.sub(f"^{_CODE}(?=[A-Z])", "", product.get("usagetype") or "", count=1)
    service = _BY_USAGE.get((product.get("productFamily") or "", usage))
    if service is None or product.get("locationType") not in {"AWS Region", None, ""}:
        return None
    return Charge(
        f"{service.kind}/aws/{region}/{service.name}", service.unit, service.units, service.times
    )


def purchase_of(term: tuple[str, ...]) -> str:
    """Returns the purchase that a term is; empty for a term that is not priced.

    Args:
        term: Type, lease contract length, purchase option and offering class.
    """
    return _PURCHASES.get(term, "")
