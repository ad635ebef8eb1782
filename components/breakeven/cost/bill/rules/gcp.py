"""Resources of Pulumi's Google Cloud provider."""

from __future__ import annotations

import re
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

_ZONE = re.compile(r".*-[a-z]")
_ZONES_OF_A_REGION = 3
"""In which GKE makes the nodes of a regional cluster that names no zones."""

_DEFAULT_MACHINE = "e2-medium"
"""Of a GKE node that states no machine type."""


def _instance(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    scheduling = properties.get("scheduling")
    machine_type = properties.get("machineType")
    return (machines("gcp", context.place, machine_type, Decimal(1), spot=_is_spot(scheduling)),)


def _is_spot(scheduling: object) -> bool:
    return isinstance(scheduling, Mapping) and (
        scheduling.get("provisioningModel") == "SPOT"
        or scheduling.get("preemptible") is True
        or scheduling.get("spot") is True
    )


def _disk(properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    return (disk("gcp", properties.get("type") or "pd-standard", properties.get("size")),)


def _cluster(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    if properties.get("enableAutopilot") is True:
        pods = Unpriced(UnpricedReason.BY_USE, "vCPU and GB that pods request")
        return (*control_plane("gke"), pods)
    if properties.get("removeDefaultNodePool") is True or not properties.get("initialNodeCount"):
        return control_plane("gke")
    return (*control_plane("gke"), *_nodes(properties, "initialNodeCount", context))


def _node_pool(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    counted = "nodeCount" if properties.get("nodeCount") is not None else "initialNodeCount"
    return tuple(_nodes(properties, counted, context))


def _nodes(properties: Mapping[str, object], count_key: str, context: Context) -> Iterator[Part]:
    """The number of nodes that a cluster or pool states is that of each zone."""
    each_zone = parse_quantity(properties.get(count_key))
    if each_zone is None:
        yield Unpriced(UnpricedReason.NODE_COUNT_UNKNOWN)
        return
    node = properties.get("nodeConfig")
    machine_type = value_at(node, "machineType") or _DEFAULT_MACHINE
    count = each_zone * _zones(properties)
    yield machines("gcp", context.place, machine_type, count, spot=_is_spot(node))
    yield Unpriced(UnpricedReason.TYPE_FROM_IMAGE, attached=ROOT_VOLUME)


def _zones(properties: Mapping[str, object]) -> int:
    location = text_at(properties, "location") or text_at(properties, "zone")
    named = properties.get("nodeLocations")
    if isinstance(named, Sequence) and not isinstance(named, str) and named:
        # A zonal cluster has its own zone beside those.
        return len({*map(str, named), location}) if _ZONE.fullmatch(location) else len(named)
    is_region = bool(location) and not _ZONE.fullmatch(location)
    return _ZONES_OF_A_REGION if is_region else 1


def _forwarding_rule(_properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    rule = Charge(
        kind="load-balancer", identifier="load-balancer/gcp/forwarding-rule", quantity=Decimal(1)
    )
    return (rule, Unpriced(UnpricedReason.BY_USE, "GB processed"))


RULES: Mapping[str, Rule] = {
    "gcp:compute/instance:Instance": _instance,
    "gcp:compute/disk:Disk": _disk,
    "gcp:compute/forwardingRule:ForwardingRule": _forwarding_rule,
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": _forwarding_rule,
    "gcp:container/cluster:Cluster": _cluster,
    "gcp:container/nodePool:NodePool": _node_pool,
}

NODE_TYPES = frozenset({"gcp:container:Cluster", "gcp:container:NodePool"})
"""Types that make nodes of a Kubernetes cluster."""
