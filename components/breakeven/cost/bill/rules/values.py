"""Reads the inputs of resources, which may be anything."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, DecimalException

from breakeven.cost.bill.charge import Charge, Part, Place, Unpriced, UnpricedReason
from breakeven.cost.calendar import CALENDAR_MONTH

_UNITS = {
    "": 1,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


def parse_quantity(text: object) -> Decimal | None:
    """Reads a Kubernetes quantity such as "200Gi", in units of one; None for none and below 0."""
    raw = str(text).strip()
    number = raw.rstrip("kKMGTi")
    try:
        value = Decimal(number) * _UNITS[raw[len(number) :]]
    except (DecimalException, KeyError):
        return None
    return value if value.is_finite() and value >= 0 else None


def whole_number(value: object) -> int:
    """Reads a count; 0 if it is not a number."""
    number = parse_quantity(value)
    return int(number) if number is not None else 0


def value_at(value: object, *path: str) -> object:
    """Returns what lies at a path of nested inputs; None if there is nothing."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def text_at(value: object, *path: str) -> str:
    """Returns the text that lies at a path of nested inputs; "" where there is none."""
    found = value_at(value, *path)
    return found if isinstance(found, str) else ""


def machines(cloud: str, place: Place, machine_type: object, count: Decimal, *, spot: bool) -> Part:
    """Returns the charge of machines that run all hours of a month."""
    if not isinstance(machine_type, str):
        return Unpriced(UnpricedReason.MACHINE_TYPE_UNKNOWN)
    if cloud != place.cloud:
        return Unpriced(UnpricedReason.OTHER_CLOUD, f"{cloud}, {place.cloud}")
    capacity_type = "spot" if spot else "on-demand"
    return Charge(
        kind="machine",
        identifier=f"node/{cloud}/{place.region}/{machine_type}/{capacity_type}",
        quantity=count * CALENDAR_MONTH.hours_per_month,
        variant=machine_type,
    )


def disk(cloud: str, disk_type: object, size: object, attached: str = "") -> Part:
    """Returns the charge of a disk by its size in GB."""
    gigabytes = parse_quantity(size)
    if not isinstance(disk_type, str) or gigabytes is None:
        return Unpriced(UnpricedReason.DISK_UNKNOWN, attached=attached)
    return Charge(
        kind="volume",
        identifier=f"volume/{cloud}/{disk_type}",
        quantity=gigabytes,
        variant=disk_type,
        attached=attached,
    )


def control_plane(name: str) -> tuple[Charge]:
    """Returns the charge of a managed cluster."""
    charge = Charge(
        kind="control-plane",
        identifier=f"control-plane/{name}",
        quantity=Decimal(1),
        variant=name,
    )
    return (charge,)
