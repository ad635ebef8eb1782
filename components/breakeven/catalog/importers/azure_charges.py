"""Which items of Azure's retail prices are priced, and as what.

Machines are Linux by consumption, on demand and spot, and by reservation. A reservation's price is
that of its whole term, whatever its unit says: the sample in the documentation has 25,007 USD "per
hour" for a year of an E64. Infrastructure is found by service and meter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from breakeven.catalog.importers.listing import Selection

HOURS_PER_MONTH = 730
_HOURS_PER_YEAR = 8760

_TERMS = {"1 Year": ("reserved-1y", 1), "3 Years": ("reserved-3y", 3)}

_HOURLY = frozenset({"1 Hour", "1/Hour"})


@dataclass(frozen=True, slots=True)
class Charge:
    """What an item is priced as.

    Attributes:
        identifier: Of its price.
        unit: Unit of its price.
        times: What its amount is multiplied by.
    """

    identifier: str
    unit: str = "node-hour"
    times: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class _Meter:
    kind: str
    name: str
    unit: str
    units: frozenset[str]
    times: Decimal = Decimal(1)


def _monthly(kind: str, name: str) -> _Meter:
    return _Meter(kind, name, "month", _HOURLY, Decimal(HOURS_PER_MONTH))


def _by_gigabyte(kind: str) -> _Meter:
    return _Meter(kind, "gb", "GB", frozenset({"1 GB"}))


_METERS = {
    ("Load Balancer", "Standard Included LB Rules and Outbound Rules"): _monthly(
        "load-balancer", "standard"
    ),
    ("Load Balancer", "Standard Data Processed"): _by_gigabyte("load-balancer"),
    ("NAT Gateway", "Standard Gateway"): _monthly("nat", "gateway"),
    ("NAT Gateway", "Standard Data Processed"): _by_gigabyte("nat"),
    ("Azure Kubernetes Service", "Standard Uptime SLA"): _monthly("control-plane", "aks"),
    ("Virtual Network", "Standard IPv4 Static Public IP"): _monthly("ip", "ipv4"),
}

SERVICES = tuple(dict.fromkeys(service for service, _ in _METERS))
"""Services besides machines that have something to price."""


GLOBAL = "Global"
"""Region of what costs the same in all regions, such as a load balancer."""


def charges_of(item: Mapping[str, Any], selection: Selection) -> Iterator[Charge]:
    """Yields what an item is priced as: nothing if it is not priced or not wanted.

    Args:
        item: Its fields as the API names them.
        selection: What is wanted.
    """
    region = str(item.get("armRegionName"))
    if item.get("tierMinimumUnits"):
        return
    if item.get("serviceName") == "Virtual Machines":
        machine = _machine(item, region, selection)
        yield from [machine] if machine else []
        return
    meter = _METERS.get((str(item.get("serviceName")), str(item.get("meterName"))))
    if (
        meter is not None
        and item.get("type") == "Consumption"
        and item.get("unitOfMeasure") in meter.units
    ):
        for cloud, wanted in sorted(selection.regions):
            if cloud == "azure" and region in {wanted, GLOBAL}:
                name = f"{meter.kind}/azure/{wanted}/{meter.name}"
                yield Charge(name, meter.unit, meter.times)


def _machine(item: Mapping[str, Any], region: str, selection: Selection) -> Charge | None:
    name = str(item.get("armSkuName"))
    if (
        not selection.takes("azure", region, name)
        or item.get("unitOfMeasure") not in _HOURLY
        or str(item.get("productName")).endswith(" Windows")
        or str(item.get("skuName")).endswith(" Low Priority")
    ):
        return None
    machine = f"node/azure/{region}/{name}"
    if item.get("type") == "Consumption":
        spot = str(item.get("skuName")).endswith(" Spot")
        return Charge(f"{machine}/{'spot' if spot else 'on-demand'}")
    purchase, years = _TERMS.get(str(item.get("reservationTerm")), ("", 0))
    if item.get("type") != "Reservation" or not purchase:
        return None
    return Charge(f"{machine}/{purchase}", times=1 / Decimal(years * _HOURS_PER_YEAR))
