"""Resources of Pulumi's Azure provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from breakeven.cost.bill.charge import Context, Part, Rule
from breakeven.cost.bill.rules.values import control_plane, machines


def _machine(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    spot = properties.get("priority") == "Spot"
    return (machines("azure", context.place, properties.get("size"), Decimal(1), spot=spot),)


def _cluster(_properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    return control_plane("aks")


RULES: Mapping[str, Rule] = {
    "azure:compute/linuxVirtualMachine:LinuxVirtualMachine": _machine,
    "azure:containerservice/kubernetesCluster:KubernetesCluster": _cluster,
}
