"""Resources of Pulumi's AWS provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
)

_IOPS_PRICED = ("io1", "io2")
_BALANCERS = {
    "application": "load-balancer/aws/alb",
    "network": "load-balancer/aws/nlb",
}


def _instance(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    market = properties.get("instanceMarketOptions")
    spot = isinstance(market, Mapping) and market.get("marketType") == "spot"
    kind = properties.get("instanceType")
    parts = [machines("aws", context.place, kind, Decimal(1), spot=spot)]
    root = properties.get("rootBlockDevice")
    if isinstance(root, Mapping) and root.get("volumeSize") is not None:
        parts += _disk(root, "volumeType", "volumeSize", ROOT_VOLUME)
    else:
        parts.append(Unpriced(UnpricedReason.SIZE_FROM_IMAGE, attached=ROOT_VOLUME))
    further = properties.get("ebsBlockDevices")
    for device in further if isinstance(further, Sequence) else ():
        if isinstance(device, Mapping):
            name = str(device.get("deviceName", ""))
            parts += _disk(device, "volumeType", "volumeSize", name)
    return parts


def _node_group(properties: Mapping[str, object], context: Context) -> Sequence[Part]:
    types, scaling = properties.get("instanceTypes"), properties.get("scalingConfig")
    first = types[0] if isinstance(types, Sequence) and types else None
    count = scaling.get("desiredSize") if isinstance(scaling, Mapping) else None
    nodes = parse_quantity(count)
    if nodes is None:
        return (Unpriced(UnpricedReason.NODE_COUNT_UNKNOWN),)
    spot = properties.get("capacityType") == "SPOT"
    volumes = Unpriced(UnpricedReason.TYPE_FROM_IMAGE, attached=ROOT_VOLUME)
    return (machines("aws", context.place, first, nodes, spot=spot), volumes)


def _volume(properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    return _disk(properties, "type", "size", "")


def _disk(
    properties: Mapping[str, object], type_key: str, size_key: str, attached: str
) -> Sequence[Part]:
    kind = properties.get(type_key) or "gp2"
    capacity = disk("aws", kind, properties.get(size_key), attached)
    if kind not in _IOPS_PRICED:
        return (capacity,)
    operations = parse_quantity(properties.get("iops"))
    if operations is None:
        return (capacity, Unpriced(UnpricedReason.IOPS_UNKNOWN, attached=attached))
    iops = Charge(
        kind="volume-iops",
        identifier=f"volume/aws/{kind}-iops",
        quantity=operations,
        variant=str(kind),
        attached=attached,
    )
    return (capacity, iops)


def _cluster(_properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    return control_plane("eks")


def _nat_gateway(_properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    gateway = Charge(kind="nat-gateway", identifier="nat/aws/gateway", quantity=Decimal(1))
    return (gateway, Unpriced(UnpricedReason.BY_USE, "GB processed"))


def _load_balancer(properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    kind = text_at(properties, "loadBalancerType") or "application"
    if kind not in _BALANCERS:
        return (Unpriced(UnpricedReason.NOT_IN_BOOK, "hours of a gateway load balancer"),)
    month = Charge(kind="load-balancer", identifier=_BALANCERS[kind], quantity=Decimal(1))
    return (month, Unpriced(UnpricedReason.BY_USE, "capacity units (LCU)"))


def _scaling_group(properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    if parse_quantity(properties.get("desiredCapacity") or properties.get("minSize")) == 0:
        return ()
    return (Unpriced(UnpricedReason.MACHINE_TYPE_UNKNOWN),)


def _service(properties: Mapping[str, object], _context: Context) -> Sequence[Part]:
    """Tasks on Fargate are paid by themselves; others run on machines of the cluster."""
    if properties.get("launchType") == "EC2":
        return ()
    return (Unpriced(UnpricedReason.NOT_IN_BOOK, "vCPU and GB hours of its tasks on Fargate"),)


RULES: Mapping[str, Rule] = {
    "aws:ec2/instance:Instance": _instance,
    "aws:eks/nodeGroup:NodeGroup": _node_group,
    "aws:eks/cluster:Cluster": _cluster,
    "aws:ebs/volume:Volume": _volume,
    "aws:ec2/natGateway:NatGateway": _nat_gateway,
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:alb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:autoscaling/group:Group": _scaling_group,
    "aws:ecs/service:Service": _service,
}

NODE_TYPES = frozenset({"aws:eks:NodeGroup", "aws:autoscaling:Group", "aws:eks:FargateProfile"})
"""Types that make nodes of a Kubernetes cluster."""
