"""The parts of a bill, by which the planned and the charged cost are compared."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, TypeAlias

from breakeven.bills.charged import ChargedItem
from breakeven.cost.bill.charge import LineItemKind
from breakeven.cost.bill.line_item import LineItem

OtherPart: TypeAlias = Literal[
    "cpuNodes",
    "controlPlane",
    "storage",
    "network",
    "logs",
    "unusedCommitment",
    "tax",
    "credits",
    "other",
]
"""What charges other than GPU nodes are for, in the order of the explanation."""

Part: TypeAlias = Literal["nodes", OtherPart]
"""What a charge is for. "nodes" are the GPU nodes."""

OutsideBill: TypeAlias = Literal["owned", "api"]
"""What no bill of a cloud holds: hardware that is owned, and another provider's API."""

_PARTS: Mapping[LineItemKind, Part | OutsideBill] = MappingProxyType(
    {
        "busy-nodes": "nodes",
        "idle-nodes": "nodes",
        "commitment": "nodes",
        "cpu-nodes": "cpuNodes",
        "gateway-nodes": "cpuNodes",
        "gateway-nodes-of-load": "cpuNodes",
        "machine": "cpuNodes",
        "control-plane": "controlPlane",
        "root-volumes": "storage",
        "volume": "storage",
        "volume-iops": "storage",
        "volume-reads": "storage",
        "registry": "storage",
        "load-balancer": "network",
        "load-balancer-traffic": "network",
        "nat-gateway": "network",
        "nat-gateway-nodes": "network",
        "nat-gateway-images": "network",
        "nat-gateway-text": "network",
        "zone-traffic": "network",
        "public-address": "network",
        "logs": "logs",
        "overflow": "api",
        "escalation": "api",
        "electricity": "owned",
        "electricity-of-work": "owned",
        "rack": "owned",
        "capital": "owned",
        "insurance": "owned",
        "spares": "owned",
        "shared-hardware": "owned",
        "shared-electricity": "owned",
    }
)

_WORDS_OF: Mapping[Part, tuple[str, ...]] = {
    "logs": ("CloudWatch", "log analytics", "cloud logging", "azure monitor"),
    "network": (
        r"nat ?gateway",
        r"load ?balanc",
        r"\belb\b",
        "LCU",
        r"data ?transfer",
        r"bytes\b(?!hrs)",
        "[ei]n?gress",
        r"public ?ip",
        r"ip ?address",
        "IdleAddress",
        "bandwidth",
        r"\bVPC\b",
        "networking",
        "virtual network",
    ),
    "storage": (
        r"\bEBS:",
        r"\bEFS\b",
        r"S3\b",
        "storage",
        "volume",
        "snapshot",
        r"\bdisks?\b",
        "bucket",
        "filestore",
        "container registry",
        "AmazonECR",
    ),
    "controlPlane": ("AmazonEKS", "Kubernetes (Service|Engine)", "perCluster", "uptime sla"),
    "cpuNodes": (
        "BoxUsage",
        "SpotUsage",
        "UnusedBox",
        "virtual machines",
        "instance (core|ram)",
        r"compute ?engine",
        "AmazonEC2",
        r"\bcompute\b",
    ),
}
_WORDS = {part: re.compile("|".join(words), re.IGNORECASE) for part, words in _WORDS_OF.items()}
"""Words of services and meters; the first that fit decide."""

_NOT_OF_NODES = re.compile(r"EBSOptimized|(^|-)(Dedicated)?Res(ervation)?:|CPUCredits", re.ASCII)
_GPU = re.compile(r"\bGPU\b", re.ASCII)
_MACHINE = re.compile(
    r"\b(?:BoxUsage|SpotUsage|UnusedBox|DedicatedUsage):(?P<name>[a-z0-9-]+\.[a-z0-9-]+)"
)


def part_of(kind: LineItemKind) -> Part | OutsideBill:
    """Returns the part of a bill that a line item of an estimate belongs to."""
    return _PARTS.get(kind, "other")


def planned_parts(lines: Iterable[LineItem]) -> dict[Part | OutsideBill, Decimal]:
    """Returns what is planned for each part, in USD per month; people are in none."""
    sums: dict[Part | OutsideBill, Decimal] = {}
    for line in lines:
        part = part_of(line.kind)
        sums[part] = sums.get(part, Decimal(0)) + line.monthly
    return sums


def charged_part(item: ChargedItem, machines: Collection[str]) -> Part:
    """Returns what a charge is for.

    Args:
        item: The charge.
        machines: Names of the machine types that are GPU nodes.
    """
    if item.kind != "usage":
        return _OF_KIND[item.kind]
    if is_of_nodes(item, machines):
        return "nodes"
    text = f"{item.service} {item.item}"
    return next((part for part, words in _WORDS.items() if words.search(text)), "other")


_OF_KIND: Mapping[str, Part] = {"unused": "unusedCommitment", "tax": "tax", "credit": "credits"}


def is_of_nodes(item: ChargedItem, machines: Collection[str]) -> bool:
    """Tells whether a charge is for the machines of GPU nodes.

    By the machine type. Google bills the GPUs, processors and memory of a machine apart, and names
    only its family, such as "G2 Instance Core".
    """
    if _NOT_OF_NODES.search(item.item):
        return False
    families = [f"{machine.partition('-')[0]} instance " for machine in machines if "-" in machine]
    return (
        names_machine(item, machines)
        or is_gpu(item)
        or any(item.item.lower().startswith(family) for family in families)
    )


def names_machine(item: ChargedItem, machines: Collection[str]) -> bool:
    """Tells whether a charge names one of some machine types."""
    flat = _flat(item.item)
    return any(_flat(machine) in flat for machine in machines)


def is_gpu(item: ChargedItem) -> bool:
    """Tells whether a charge is for GPUs, as Google's are."""
    return bool(_GPU.search(item.item))


def machine_names(items: Iterable[ChargedItem]) -> list[str]:
    """Returns the machine types that AWS charged, for messages; sorted."""
    found = (_MACHINE.search(item.item) for item in items)
    return sorted({match["name"] for match in found if match})


def hours_of(item: ChargedItem) -> Decimal | None:
    """Returns the hours of a charge for machines; None if its unit is not a time."""
    unit = item.unit.removeprefix("1 ").strip()
    if unit in ("hrs", "hr", "h", "hour", "hours"):
        return item.quantity
    return item.quantity / 3600 if unit in ("s", "second", "seconds") else None


def _flat(name: str) -> str:
    """A machine type as meters spell it: Azure leaves "Standard" and underscores away."""
    return re.sub(r"[^a-z0-9.]", "", name.lower().removeprefix("standard_"))
