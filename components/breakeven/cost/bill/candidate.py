"""What a candidate costs while it runs next to the model, and what the stack costs with it.

The bill of a stack is the model's alone: break-even, the verdict and what lowers the bill are about
what stays. What a trial costs is added to it, and ends with the trial.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from breakeven.cost.assumptions import Assumptions, ClusterShare
from breakeven.cost.bill.charge import Driver
from breakeven.cost.bill.line_item import LineItem, NotPriced, monthly_of
from breakeven.cost.bill.pricing import price_infrastructure
from breakeven.cost.bill.registered import GPU_POOL, Registered
from breakeven.money import to_cents

_INSTANCE = "app.kubernetes.io/instance"
"""Label of Kubernetes objects that says whose they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A stack with the model as it is, or with the candidate in its place.

    Attributes:
        monthly: USD per month.
        usd_per_million_tokens: All of it over the tokens that are served.
        replica_tokens_per_second: Output tokens per second that a full replica writes.
        objective_share: Requests whose first token comes in time, 0 to 1, by the simulated week.
    """

    monthly: Decimal
    usd_per_million_tokens: Decimal
    replica_tokens_per_second: float
    objective_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateCost:
    """A candidate on trial. Money in USD per month.

    Attributes:
        model: Name of the model whose requests it answers.
        unit: What a request of the model is, as `Load.unit` has it.
        objective_seconds: In which a first token, or an answer, is in time.
        changes: Its settings by dotted key, as the stack states them.
        traffic_percent: Share of the model's requests that it answers.
        replicas: Its replicas.
        nodes: GPU nodes that are paid for it; 0 in a pool of fixed size.
        lines: What is paid for it in addition to the bill.
        not_priced: What is there for it, and has no price.
        contingency_share: Reserve over that, 0 to 1.
        unserved_share: Part of its requests that its replicas cannot serve, 0 to 1; the model's
            replicas answer them.
        now: The stack with the model as it is.
        promoted: The stack once the candidate is promoted.
    """

    model: str
    unit: str
    objective_seconds: float
    changes: Mapping[str, object]
    traffic_percent: int
    replicas: int
    nodes: float
    lines: tuple[LineItem, ...]
    not_priced: tuple[NotPriced, ...]
    contingency_share: Decimal
    unserved_share: float
    now: Outcome
    promoted: Outcome

    @property
    def monthly(self) -> Decimal:
        """What the trial adds to the bill, contingency included."""
        return monthly_of(self.lines) + self.contingency

    @property
    def without_nodes(self) -> Decimal:
        """The part of it that is no GPU node, such as volumes, contingency included."""
        rest = monthly_of(line for line in self.lines if line.driver is not Driver.NODES)
        return to_cents(rest * (1 + self.contingency_share))

    @property
    def contingency(self) -> Decimal:
        """Reserve, to the cent."""
        return to_cents(monthly_of(self.lines) * self.contingency_share)


def is_of(resource: Registered, instance: str) -> bool:
    """Tells whether a resource is there for one model's objects, or its nodes.

    Args:
        resource: A resource of the ledger.
        instance: Name of the model's or candidate's objects.
    """
    properties = resource.properties or {}
    if resource.type == GPU_POOL:
        return properties.get("instance") == instance
    metadata = properties.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    return isinstance(labels, Mapping) and labels.get(_INSTANCE) == instance


def without(
    resources: tuple[Registered, ...], instances: Collection[str]
) -> tuple[Registered, ...]:
    """Returns resources without those of some candidates, by the names of their objects."""
    if not instances:
        return resources
    return tuple(
        each for each in resources if not any(is_of(each, instance) for instance in instances)
    )


def candidate_lines(
    resources: Iterable[Registered], assumptions: Assumptions
) -> tuple[tuple[LineItem, ...], tuple[NotPriced, ...]]:
    """Prices what is there for a candidate; the cluster's share and people are the stack's.

    Args:
        resources: Its resources, with the GPU pool where its nodes are paid for it.
        assumptions: Of the candidate alone, with its share of the requests.
    """
    nothing = ClusterShare(
        control_plane=None,
        control_plane_share=Decimal(0),
        system_instance_type="",
        system_nodes=0,
        nat_gateway_share=Decimal(0),
        image_gigabytes=0,
        weights_class=assumptions.cluster.weights_class,
        weights_gigabytes=assumptions.cluster.weights_gigabytes,
    )
    alone = replace(assumptions, cluster=nothing, overflows=False, escalation=None)
    found = price_infrastructure(resources, alone.week(), alone)
    lines = (line for line in found.lines if not line.kind.startswith("shared-"))
    return tuple(lines), found.not_priced
