"""What a resource is charged by, before it has a price."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Literal, Protocol, TypeAlias

from breakeven.catalog.price import Price
from breakeven.cost.bill.node_cost import OwnedNode

LineItemKind: TypeAlias = Literal[
    "busy-nodes",
    "idle-nodes",
    "commitment",
    "electricity",
    "electricity-of-work",
    "rack",
    "capital",
    "insurance",
    "spares",
    "shared-hardware",
    "shared-electricity",
    "root-volumes",
    "volume",
    "volume-iops",
    "volume-reads",
    "load-balancer",
    "load-balancer-traffic",
    "control-plane",
    "cpu-nodes",
    "gateway-nodes",
    "gateway-nodes-of-load",
    "machine",
    "nat-gateway",
    "nat-gateway-nodes",
    "nat-gateway-images",
    "nat-gateway-text",
    "zone-traffic",
    "public-address",
    "registry",
    "logs",
    "overflow",
    "escalation",
    "engineer",
    "on-call",
]
"""What a line item pays for. "overflow" is what an API takes for requests that a gateway sends
there, "escalation" for those that it answers again; "machine" belongs to a program that has nothing
to do with models."""

ROOT_VOLUME = "root"
"""`attached` of the volume that a machine starts from; other volumes have a device name."""


class Driver(StrEnum):
    """What the quantity of a charge grows with, and the unit in which that is counted.

    Attributes:
        NOTHING: It is the same at any load.
        NODES: GPU nodes paid, averaged over time.
        WORK: GPUs that are busy, averaged over time.
        NODE_STARTS: GPU nodes that start in an hour.
        REPLICA_STARTS: Replicas that start in an hour.
        TOKENS: Input and output tokens of a day, whoever serves them.
        OVERFLOW: Those of them that a gateway sends to an API.
        ANSWERED: Those of them that own replicas serve.
        GATEWAY_PODS: Pods of the gateway beyond those that always run, averaged over time.
    """

    NOTHING = "nothing"
    NODES = "nodes"
    WORK = "work"
    NODE_STARTS = "node-starts"
    REPLICA_STARTS = "replica-starts"
    TOKENS = "tokens"
    OVERFLOW = "overflow"
    ANSWERED = "answered"
    GATEWAY_PODS = "gateway-pods"


class UnpricedReason(StrEnum):
    """Why the price of something is not known."""

    INPUTS_UNREADABLE = "inputs-unreadable"
    NO_RULE = "no-rule"
    PRICE_MISSING = "price-missing"
    NO_GPU_POOL = "no-gpu-pool"
    OWN_STACK = "own-stack"
    CONTAINERS_UNKNOWN = "containers-unknown"
    SERVICE_TYPE_UNKNOWN = "service-type-unknown"
    STORAGE_UNKNOWN = "storage-unknown"
    DISK_UNKNOWN = "disk-unknown"
    IOPS_UNKNOWN = "iops-unknown"
    NODE_COUNT_UNKNOWN = "node-count-unknown"
    MACHINE_TYPE_UNKNOWN = "machine-type-unknown"
    OTHER_CLOUD = "other-cloud"
    SIZE_FROM_IMAGE = "size-from-image"
    TYPE_FROM_IMAGE = "type-from-image"
    BY_USE = "by-use"
    NOT_IN_BOOK = "not-in-book"
    OTHER_NODES = "other-nodes"
    INGRESS = "ingress"
    CHART = "chart"
    CPU_NODES_UNKNOWN = "cpu-nodes-unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """So much of something, a month.

    Attributes:
        kind: What it pays for.
        quantity: How much.
        identifier: Of the price in the price book; empty if `price` is given.
        price: A price that the book does not have: the stack states it, or it is an API's.
        unit: Unit of the quantity; empty for that of the price.
        variant: Storage class, machine type, or kind of control plane.
        attached: Which volume of a machine it is: `ROOT_VOLUME` or a device; empty for no such.
        share: Busy or idle share of nodes, or an engineer's share, 0 to 1; None if it has none.
        count: Machines of `variant`; 0 if they are not counted.
        model: The model that it is there for, where a stack has several; empty for all of them.
        node: The owned node that it is part of.
        on_cpus: Whether it is about nodes that serve on CPUs, without GPUs.
        driver: What the quantity grows with.
        each: Quantity for one unit of the driver; 0 if it grows with nothing.
    """

    kind: LineItemKind
    quantity: Decimal
    identifier: str = ""
    price: Price | None = None
    unit: str = ""
    variant: str = ""
    attached: str = ""
    share: Decimal | None = None
    count: int = 0
    model: str = ""
    node: OwnedNode | None = None
    on_cpus: bool = False
    driver: Driver = Driver.NOTHING
    each: Decimal = Decimal(0)


def driven(charge: Charge, driver: Driver, amount: Decimal, model: str | None = None) -> Charge:
    """Returns a charge that grows with something.

    Args:
        charge: Its quantity is for one unit of the driver.
        driver: With what.
        amount: How much of that there is.
        model: Whose it becomes; None keeps it with whom it is.
    """
    each = charge.quantity
    whose = charge.model if model is None else model
    return replace(charge, quantity=each * amount, driver=driver, each=each, model=whose)


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A part of a resource that no price is known for.

    Attributes:
        reason: Why.
        detail: What the reason is about, such as the identifier of a missing price.
        attached: As of a charge.
    """

    reason: UnpricedReason
    detail: str = ""
    attached: str = ""


Part: TypeAlias = Charge | Unpriced


@dataclass(frozen=True, slots=True)
class Place:
    """Where resources are, unless they state it themselves: cloud and region."""

    cloud: str
    region: str


class Usage(Protocol):
    """What a plan knows about the use of a stack's resources."""

    @property
    def has_pool(self) -> bool:
        """Whether the stack registers a GPU pool."""

    def node_charges(self, volume_class: str, gigabytes: int) -> Sequence[Charge]:
        """Returns what the GPU nodes cost, and their root volumes; none for an empty class."""

    def model_of(self, instance: str) -> str:
        """Returns the model whose object it is; empty for what all share, or the only model."""

    def amount_of(self, driver: Driver, model: str) -> Decimal:
        """Returns how much of a driver a model has; empty for all models."""

    @property
    def hours_per_month(self) -> Decimal:
        """Hours that a resource is paid for."""

    @property
    def text_gigabytes(self) -> Decimal:
        """GB of text a month, of 10^9 bytes, that each token of a day makes."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may ask.

    Attributes:
        place: Where a resource is.
        usage: How it is used; None if nobody planned it.
        has_nodes: Whether the nodes that pods run on are among the resources.
    """

    place: Place
    usage: Usage | None = None
    has_nodes: bool = True


Rule: TypeAlias = Callable[[Mapping[str, object], Context], Sequence[Part]]
"""Returns what a resource with these inputs is charged by; nothing if it is free."""
