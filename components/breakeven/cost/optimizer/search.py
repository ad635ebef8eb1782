"""What a search for the cheapest configuration rests on, and one configuration of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, TypeAlias

from breakeven.catalog.gpus import Gpu
from breakeven.catalog.models import ModelFacts
from breakeven.catalog.pool_kinds import EXISTING, default_pool_kind
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.node_cost import NodeCost
from breakeven.cost.bill.registered import GPU_POOL, Registered
from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.capacity.objectives import Objectives
from breakeven.cost.capacity.techniques import Techniques
from breakeven.cost.demand.load import Load
from breakeven.cost.fleet.plan import Fleet

Purchase: TypeAlias = Literal["on-demand", "spot", "committed", "stated", "owned"]
"""How nodes are paid. Committed ones are paid at all hours, at the discount that the user states;
stated and owned ones are the stack's own, at the price that it states."""

Operation: TypeAlias = Literal["autoscaled", "fixed", "hybrid"]
"""Replicas follow the load; as many as the peak minute needs run always; or fewer, and an API takes
what is beyond them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An available node.

    Attributes:
        gpu: Its GPUs.
        gpus_per_node: How many of them.
        machine: Machine type, or what the stack calls its own nodes.
        purchase: How it is paid.
        node: What it costs.
        nodes_follow: Whether nodes can come and go with replicas; else they are paid at all hours.
        volume_gigabytes: Root volume that is paid with it, in GB; 0 if it has none of its own.
    """

    gpu: Gpu
    gpus_per_node: int
    machine: str
    purchase: Purchase
    node: NodeCost
    nodes_follow: bool
    volume_gigabytes: int


@dataclass(frozen=True, slots=True)
class OwnMeasurement:
    """The user's own measurement of one engine, in output tokens per second of a full replica."""

    gpu: str
    precision: str
    tensor_parallel: int
    output_tokens_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """All that configurations share, and how far the search goes.

    Attributes:
        assumptions: Those of the stack as it stands: traffic, people, APIs, cluster, prices.
        ledgers: What the stack registers, by the precision of its weights; the keys are the
            precisions that are evaluated.
        start_seconds: From the decision to add a replica to its first token, by precision.
        growth_seconds: Period within which the autoscaler may double replicas, by precision.
        gpu_memory_utilization: Share of the GPU's memory that vLLM may use.
        max_model_length: Longest request, in tokens.
        adapter_bytes: What LoRA adapters take on the GPUs of a replica.
        lowest_replicas: Replicas that run at all hours, 1 or more.
        target_requests: Most requests in flight per replica that autoscaling may aim at.
        largest_batch: Requests in flight of a full replica where the number of replicas is fixed.
        own_offer: The stack's own nodes, where it states what they cost.
        volume_gigabytes: Root volume of a rented node, in GB.
        shared_weights: Whether replicas on several nodes can read the stack's volume of weights.
        max_age_days: A list price older than this is left out.
        gpus: Names of the GPUs to weigh; empty for all that the cloud rents.
        max_gpus: Most GPUs at the peak, 1 or more.
        commitment_share: Discount for nodes that are committed to, 0 to 1; None for no such offer.
        objectives: Latencies that 95% of requests and tokens are to keep, with no queue before.
        measured: The user's own measurement, if any.
        target_waiting: Requests waiting per replica that autoscaling aims at.
        node_start_seconds: Share of `start_seconds` that only a new node takes.
        grace_seconds: From the decision to stop a replica to its kill, if requests still run then.
        spot_interruptions_per_hour: Of a spot node, 0 or more.
        weights_gigabytes: What a replica that starts reads, in GB of 10^9 bytes, by precision.
    """

    assumptions: Assumptions
    ledgers: Mapping[str, tuple[Registered, ...]]
    start_seconds: Mapping[str, float]
    growth_seconds: Mapping[str, int]
    gpu_memory_utilization: float
    max_model_length: int
    adapter_bytes: int
    lowest_replicas: int
    target_requests: int
    largest_batch: int
    own_offer: Offer | None
    volume_gigabytes: int
    shared_weights: bool
    max_age_days: int
    gpus: tuple[str, ...]
    max_gpus: int
    commitment_share: Decimal | None
    objectives: Objectives
    measured: OwnMeasurement | None
    target_waiting: int
    node_start_seconds: float
    grace_seconds: float
    spot_interruptions_per_hour: float
    weights_gigabytes: Mapping[str, Decimal]

    @property
    def measured_requests(self) -> int:
        """Requests in flight of the user's own measurement: as many as the stack lets run."""
        autoscaling = self.assumptions.fleet.autoscaling
        return self.target_requests if autoscaling else self.largest_batch

    @property
    def own_load(self) -> Load:
        """The traffic with the input that the stack as it stands finds in its prefix caches."""
        share = self.assumptions.capacity.cached_input_share
        return replace(self.assumptions.load, cached_input_share=share)

    @property
    def techniques(self) -> Techniques:
        """How the stack's engine departs from plain serving."""
        return self.assumptions.engine.techniques

    @property
    def model(self) -> ModelFacts:
        """The model."""
        return self.assumptions.engine.model

    @property
    def precision(self) -> str:
        """Precision of the weights in the stack as it stands."""
        return self.assumptions.engine.precision


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingConfiguration:
    """One way to run the model.

    Attributes:
        offer: The node.
        precision: Of the weights.
        tensor_parallel: GPUs of a replica.
        operation: What decides the number of replicas.
        requests_in_flight: At which a replica counts as full.
        base_nodes: Nodes that always run next to the API; 0 unless it is a hybrid.
    """

    offer: Offer
    precision: str
    tensor_parallel: int
    operation: Operation
    requests_in_flight: int
    base_nodes: int = 0

    @property
    def replicas_per_node(self) -> int:
        """Whole replicas that fill a node."""
        return self.offer.gpus_per_node // self.tensor_parallel


def with_nodes(ledger: Iterable[Registered], offer: Offer, cloud: str) -> tuple[Registered, ...]:
    """Returns what a stack would register with those nodes of that cloud instead of its own."""
    return tuple(
        replace(resource, properties=_pool_of(offer, cloud, resource))
        if resource.type == GPU_POOL
        else resource
        for resource in ledger
    )


def assumptions_for(
    search: Search, configuration: ServingConfiguration, capacity: ReplicaCapacity, fleet: Fleet
) -> Assumptions:
    """Returns the assumptions with which `estimate` prices a configuration."""
    cluster = search.assumptions.cluster
    if configuration.precision != search.precision:
        weights = search.weights_gigabytes[configuration.precision]
        cluster = replace(cluster, weights_gigabytes=weights)
    return replace(
        search.assumptions,
        node=configuration.offer.node,
        capacity=capacity,
        fleet=fleet,
        cluster=cluster,
    )


def _pool_of(offer: Offer, cloud: str, resource: Registered) -> Mapping[str, object]:
    kind = default_pool_kind(cloud) if offer.volume_gigabytes else EXISTING
    return {
        **(resource.properties or {}),
        "kind": kind.name,
        "nodeVolumeGigabytes": offer.volume_gigabytes,
    }
