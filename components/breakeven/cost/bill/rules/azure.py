"""Resources of Pulumi's two Azure providers, azure-native and azure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from breakeven.cost.bill.charge import (
    ROOT_VOLUME,
    Charge,
    Context,
    Part,
    Rule,
    Unpriced,
    UnpricedReason,
)
from breakeven.cost.bill.rules.values import (
    control_plane,
    disk,
    machines,
    parse_quantity,
    text_at,
    value_at,
)

_PAID_TIERS = ("Standard",)
_FREE_TIERS = ("", "Free")


def _machine(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    spot = properties.get("priority") == "Spot"
    return (machines("azure", context.place, properties.get("size"), Decimal(1), spot=spot),)


def _native_machine(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    spot = properties.get("priority") == "Spot"
    size = value_at(properties, "hardwareProfile", "vmSize")
    return (
        machines("azure", context.place, size, Decimal(1), spot=spot),
        Unpriced(UnpricedReason.TYPE_FROM_IMAGE, attached=ROOT_VOLUME),
    )


def _cluster(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    pool = properties.get("defaultNodePool")
    nodes = [] if pool is None else list(_pool(pool, "nodeCount", context))
    return (*_control_plane(text_at(properties, "skuTier")), *nodes)


def _native_cluster(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    pools = properties.get("agentPoolProfiles")
    listed = pools if isinstance(pools, Sequence) and not isinstance(pools, str) else ()
    nodes = [part for pool in listed for part in _pool(pool, "count", context)]
    return (*_control_plane(text_at(properties, "sku", "tier")), *nodes)


def _control_plane(tier: str) -> Sequence[Part]:
    """The tier is Free unless a cluster states another one."""
    if tier in _FREE_TIERS:
        return ()
    if tier in _PAID_TIERS:
        return control_plane("aks")
    return (Unpriced(UnpricedReason.NOT_IN_BOOK, f"hours of the {tier} control plane"),)


def _pool(pool: object, count_key: str, context: Context) -> Iterator[Part]:
    nodes = parse_quantity(value_at(pool, count_key))
    if nodes is None:
        yield Unpriced(UnpricedReason.NODE_COUNT_UNKNOWN)
        return
    priority = value_at(pool, "scaleSetPriority") or value_at(pool, "priority")
    size = value_at(pool, "vmSize")
    yield machines("azure", context.place, size, nodes, spot=priority == "Spot")
    yield Unpriced(UnpricedReason.TYPE_FROM_IMAGE, attached=ROOT_VOLUME)


def _native_pool(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    return tuple(_pool(properties, "count", context))


def _classic_pool(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    return tuple(_pool(properties, "nodeCount", context))


def _disk(properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    size = properties.get("diskSizeGB")
    return (disk("azure", value_at(properties, "sku", "name") or "Standard_LRS", size),)


def _load_balancer(properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    if text_at(properties, "sku", "name") in ("", "Basic"):
        return ()
    month = Charge(
        kind="load-balancer", identifier="load-balancer/azure/standard", quantity=Decimal(1)
    )
    return (month, Unpriced(UnpricedReason.BY_USE, "GB processed"))


RULES: Mapping[str, Rule] = {
    "azure:compute/linuxVirtualMachine:LinuxVirtualMachine": _machine,
    "azure:compute/windowsVirtualMachine:WindowsVirtualMachine": _machine,
    "azure:containerservice/kubernetesCluster:KubernetesCluster": _cluster,
    "azure:containerservice/kubernetesClusterNodePool:KubernetesClusterNodePool": _classic_pool,
    "azure-native:compute:Disk": _disk,
    "azure-native:compute:VirtualMachine": _native_machine,
    "azure-native:containerservice:AgentPool": _native_pool,
    "azure-native:containerservice:ManagedCluster": _native_cluster,
    "azure-native:network:LoadBalancer": _load_balancer,
}

NODE_TYPES = frozenset(
    {
        "azure:containerservice:KubernetesCluster",
        "azure:containerservice:KubernetesClusterNodePool",
        "azure-native:containerservice:AgentPool",
        "azure-native:containerservice:ManagedCluster",
    }
)
"""Types that make nodes of a Kubernetes cluster."""
