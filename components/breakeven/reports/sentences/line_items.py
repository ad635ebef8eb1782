"""What line items are called, and where their prices come from."""

from __future__ import annotations

from collections.abc import Mapping

from breakeven.catalog.price import PRIVATE
from breakeven.cost.bill.charge import ROOT_VOLUME, LineItemKind, UnpricedReason
from breakeven.cost.bill.line_item import LineItem, NotPriced
from breakeven.cost.report import ClusterPart
from breakeven.reports.formatting import usd, usd_for_one

_KINDS: Mapping[LineItemKind, str] = {
    "busy-nodes": "{nodes}",
    "idle-nodes": "{nodes}",
    "commitment": "Commitment discount",
    "electricity": "Electricity and cooling",
    "electricity-of-work": "Electricity and cooling under load",
    "rack": "Rack, network port, support",
    "capital": "Cost of capital",
    "insurance": "Insurance and property tax",
    "spares": "Spare parts and repairs",
    "shared-hardware": "Head nodes, storage, switches",
    "shared-electricity": "Electricity of head nodes, storage, switches",
    "root-volumes": "Root volumes of {nodes}",
    "volume": "Volume",
    "volume-iops": "Volume",
    "volume-reads": "Weights read by starting replicas",
    "load-balancer": "Load balancer",
    "load-balancer-traffic": "Load balancer",
    "control-plane": "Control plane",
    "cpu-nodes": "Monitoring",
    "gateway-nodes": "Gateway",
    "gateway-nodes-of-load": "Gateway",
    "machine": "Machine",
    "nat-gateway": "NAT gateway",
    "nat-gateway-nodes": "NAT gateway",
    "nat-gateway-images": "NAT gateway",
    "nat-gateway-text": "NAT gateway",
    "zone-traffic": "Traffic between zones",
    "public-address": "NAT gateway",
    "registry": "Registry, weights",
    "logs": "Logs",
    "overflow": "Overflow by API",
    "escalation": "Escalation to API",
    "engineer": "Senior engineer",
    "on-call": "On-call",
}

_CLUSTER_PARTS: Mapping[ClusterPart, str] = {
    "control-plane": "control plane (pricing.controlPlane: none)",
    "system-nodes": "nodes for monitoring (pricing.systemNodeCount: 0)",
    "nat-gateway": "NAT gateway (pricing.natGatewaySharePercent: 0)",
}

_OF_THE_POOL = frozenset(
    {
        *("busy-nodes", "idle-nodes", "commitment", "electricity", "electricity-of-work"),
        *("rack", "capital"),
        *("insurance", "spares", "root-volumes"),
    }
)
"""Line items whose resource is the GPU pool, which needs no name."""

_OF_A_MODEL = frozenset(
    {
        *("busy-nodes", "idle-nodes", "commitment", "electricity", "electricity-of-work"),
        *("rack", "capital"),
        *("insurance", "spares", "overflow", "escalation"),
        *("nat-gateway-images", "nat-gateway-text", "zone-traffic", "volume-reads", "registry"),
    }
)
_WITH_VARIANT = frozenset({"volume", "volume-iops", "volume-reads", "control-plane", "machine"})


def item_name(item: LineItem) -> str:
    """Names a line item, such as "GPU nodes, busy 51%" or "Volume weights (efs)"."""
    return _named(item) + _suffix(item).format(nodes=nodes(item))


def lasting_name(item: LineItem) -> str:
    """Names a line item by what stays from month to month, without percentages and counts."""
    return _named(item) + _LASTING.get(item.kind, "").format(nodes=nodes(item))


def nodes(item: LineItem) -> str:
    """Names the nodes that a line item of the pool is about: GPU nodes or CPU nodes."""
    return "CPU nodes" if item.on_cpus else "GPU nodes"


def _named(item: LineItem) -> str:
    name = _KINDS[item.kind].format(nodes=nodes(item))
    if item.kind not in _OF_THE_POOL:
        name = f"{name} {item.name}".rstrip()
        name += f", {_attached(item.attached)}" if item.attached else ""
    if item.model and item.kind in _OF_A_MODEL:
        name += f" of {item.model}"
    if item.kind in _WITH_VARIANT and item.variant:
        name += f" ({item.variant})"
    return name


def item_source(item: LineItem) -> str:
    """Says where the price of a line item comes from; hides a private one."""
    if item.private:
        return PRIVATE
    if item.kind == "commitment":
        return f"{item.source}; discount of pricing.commitmentPercent"
    node = item.node
    if node is not None and item.kind in ("busy-nodes", "idle-nodes"):
        months = node.amortization_years * 12
        return f"purchase over {months} months, {node.residual_share:.0%} residual value"
    if node is not None and item.kind == "electricity":
        return f"{node.resting_watts:,f} W at the wall x PUE {node.power_usage_effectiveness}"
    if node is not None and item.kind == "electricity-of-work":
        return (
            f"{node.power_watts - node.resting_watts:,f} W more at full load x PUE "
            f"{node.power_usage_effectiveness}"
        )
    return item.source or f"stack setting {item.identifier}"


def item_prices(item: LineItem) -> tuple[str, str]:
    """Writes unit price and monthly cost of a line item; hides private ones."""
    if item.private:
        return PRIVATE, PRIVATE
    return usd_for_one(item.unit_price), usd(item.monthly)


def not_priced_name(item: NotPriced) -> str:
    """Names what has no price."""
    name = item.name or "cluster"
    return f"{name}, {_attached(item.attached)}" if item.attached else name


def not_priced_reason(item: NotPriced, setting: str = "pricing.overrides") -> str:
    """Says why something has no price.

    Args:
        item: What.
        setting: Where a price can be stated.
    """
    if item.reason is UnpricedReason.PRICE_MISSING:
        return f"no price {item.detail}; set one in {setting}"
    if item.reason is UnpricedReason.OTHER_CLOUD:
        its_cloud, _, cloud = item.detail.partition(", ")
        return f"it is from {its_cloud}, but the program is priced for {cloud}"
    if item.reason is UnpricedReason.BY_USE:
        return f"charged by use: {item.detail}"
    if item.reason is UnpricedReason.NOT_IN_BOOK:
        return f"charged by {item.detail}; not in the price book"
    return _REASONS[item.reason]


def cluster_part(part: ClusterPart) -> str:
    """Names a part of the cluster that a stack is not charged for, with the setting behind it."""
    return _CLUSTER_PARTS[part]


_REASONS: Mapping[UnpricedReason, str] = {
    UnpricedReason.INPUTS_UNREADABLE: "its inputs could not be read",
    UnpricedReason.NO_RULE: "no rule for this type",
    UnpricedReason.NO_GPU_POOL: "requests GPUs, but no pool is registered",
    UnpricedReason.OWN_STACK: "priced only by its own stack",
    UnpricedReason.CONTAINERS_UNKNOWN: "its containers are not known at preview",
    UnpricedReason.SERVICE_TYPE_UNKNOWN: "its type is not known at preview",
    UnpricedReason.STORAGE_UNKNOWN: "its size or storage class is not known at preview",
    UnpricedReason.DISK_UNKNOWN: "its size or type is not known at preview",
    UnpricedReason.IOPS_UNKNOWN: "its IOPS are not known at preview",
    UnpricedReason.NODE_COUNT_UNKNOWN: "its number of nodes is not known at preview",
    UnpricedReason.MACHINE_TYPE_UNKNOWN: "its machine type is not known at preview",
    UnpricedReason.SIZE_FROM_IMAGE: (
        "its size comes from the machine's image; set rootBlockDevice.volumeSize"
    ),
    UnpricedReason.TYPE_FROM_IMAGE: "its type comes from the machine's image",
    UnpricedReason.OTHER_NODES: "its pods run on nodes that this program does not create",
    UnpricedReason.INGRESS: "its controller can create a load balancer",
    UnpricedReason.CPU_NODES_UNKNOWN: (
        "its pods use CPU nodes of unknown price; set pricing.systemInstanceType"
    ),
    UnpricedReason.CHART: "its chart's resources are not known at preview",
}


def _attached(attached: str) -> str:
    return "root volume" if attached == ROOT_VOLUME else f"volume {attached}"


_LASTING: Mapping[LineItemKind, str] = {
    "busy-nodes": ", busy",
    "idle-nodes": ", idle",
    "zone-traffic": ", gateway and replicas",
    "volume-iops": ", IOPS",
    "load-balancer-traffic": ", traffic",
    "cpu-nodes": ", CPU nodes",
    "gateway-nodes": ", CPU nodes",
    "gateway-nodes-of-load": ", CPU nodes at peaks",
    "nat-gateway-nodes": ", {nodes}",
    "nat-gateway-images": ", images of started nodes",
    "nat-gateway-text": ", text to the API",
    "public-address": ", public address",
}


def _suffix(item: LineItem) -> str:
    share = "" if item.share is None else f"{item.share:.0%}"
    amortization = "" if item.node is None else ": amortization"
    return {
        "busy-nodes": f", busy {share}{amortization}",
        "idle-nodes": f", idle {share}{amortization}",
        "commitment": f", {share} off the {item.count} always-on nodes",
        "volume-iops": ", IOPS",
        "load-balancer-traffic": ", traffic",
        "cpu-nodes": f", {item.count} x {item.variant}",
        "gateway-nodes": f", {item.count} pods on {item.variant}",
        "gateway-nodes-of-load": f", pods at peaks on {item.variant}",
        "nat-gateway-nodes": ", {nodes}",
        "nat-gateway-images": ", images of started nodes",
        "nat-gateway-text": ", text to the API",
        "zone-traffic": ", gateway and replicas",
        "public-address": ", public address",
        "engineer": f", {share}",
        "escalation": f", {share} of requests",
    }.get(item.kind, "")
