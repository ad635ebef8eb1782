"""Which items of Azure's retail prices are priced, and as what.

Machines are Linux by consumption, on demand and spot, and by reservation. A reservation's price is
that of its whole term, whatever its unit says: the sample in the documentation has 25,007 USD "per
hour" for a year of an E64. Infrastructure is found by service and meter.
"""

from __future__ import annotations

import re
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
"""Services besides machines and storage that have something to price."""

_TIER_GIGABYTES = 128
"""Size of the tier of a managed disk whose price stands for that of a gigabyte. A disk costs the
price of its tier, the next that holds it; a gigabyte of another tier costs a few percent less or
more."""


def _disk(name: str, tier: str) -> tuple[str, _Meter]:
    meter = _Meter("volume", name, "GB-month", frozenset({"1/Month"}), 1 / Decimal(_TIER_GIGABYTES))
    return rf"{tier} (LRS )?Disks?", meter


def _files(name: str, meter: str) -> tuple[str, _Meter]:
    units = frozenset({"1 GB/Month", "1 GiB/Month"})
    return rf".*{meter}", _Meter("volume", name, "GB-month", units)


_STORAGE = {
    ("Standard HDD Managed Disks", "S10 LRS"): _disk("standard-hdd", "S10"),
    ("Standard SSD Managed Disks", "E10 LRS"): _disk("managed-csi", "E10"),
    ("Premium SSD Managed Disks", "P10 LRS"): _disk("managed-csi-premium", "P10"),
    ("Files v2", "Standard LRS"): _files("azurefile", "Data Stored"),
    ("Premium Files", "Premium LRS"): _files("azurefile-premium", "Provisioned"),
}
"""Pattern of the meter by product and SKU, as infracost 95ba4f49a (2026-08-21, Apache-2.0) asks for
them (managed_disk.go, storage_share.go)."""

FILTERS = (
    *(f"serviceName eq '{service}'" for service in SERVICES),
    *(f"serviceName eq 'Storage' and productName eq '{product}'" for product, _ in _STORAGE),
)
"""What a query of the API asks for, one query each, so that no service is read as a whole that has
thousands of items."""


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
    meter = _meter(item)
    if (
        meter is not None
        and item.get("type") == "Consumption"
        and item.get("unitOfMeasure") in meter.units
    ):
        for cloud, wanted in sorted(selection.regions):
            if cloud == "azure" and region in {wanted, GLOBAL}:
                name = f"{meter.kind}/azure/{wanted}/{meter.name}"
                yield Charge(name, meter.unit, meter.times)


def _meter(item: Mapping[str, Any]) -> _Meter | None:
    service, name = str(item.get("serviceName")), str(item.get("meterName"))
    if service != "Storage":
        return _METERS.get((service, name))
    sku = (str(item.get("productName")), str(item.get("skuName")))
    pattern, meter = _STORAGE.get(sku, ("", None))
    return meter if re.fullmatch(pattern, name) else None


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
