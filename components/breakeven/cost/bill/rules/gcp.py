"""Resources of Pulumi's Google Cloud provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from breakeven.cost.bill.charge import Context, Part, Rule
from breakeven.cost.bill.rules.values import control_plane, disk, machines


def _instance(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    scheduling = properties.get("scheduling")
    spot = isinstance(scheduling, Mapping) and (
        scheduling.get("provisioningModel") == "SPOT" or scheduling.get("preemptible") is True
    )
    machine_type = properties.get("machineType")
    return (machines("gcp", context.place, machine_type, Decimal(1), spot=spot),)


def _disk(properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    return (disk("gcp", properties.get("type") or "pd-standard", properties.get("size")),)


def _cluster(_properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    return control_plane("gke")


RULES: Mapping[str, Rule] = {
    "gcp:compute/instance:Instance": _instance,
    "gcp:compute/disk:Disk": _disk,
    "gcp:container/cluster:Cluster": _cluster,
}
