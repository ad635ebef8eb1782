"""All settings of a stack, and what follows from several groups of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from breakeven.settings.access.overflow import OverflowApi, overflow_api_of
from breakeven.settings.api import ApiSettings
from breakeven.settings.costs.staffing import StaffingSettings
from breakeven.settings.engine import EngineSettings
from breakeven.settings.files import PER_MODEL
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.model import ModelSettings
from breakeven.settings.monitoring import MonitoringSettings
from breakeven.settings.network import NetworkSettings
from breakeven.settings.policy import PolicySettings
from breakeven.settings.pool import PoolSettings
from breakeven.settings.pricing import PricingSettings
from breakeven.settings.replicas import ReplicaSettings
from breakeven.settings.rollouts.candidate import CandidateSettings
from breakeven.settings.traffic import TrafficSettings
from breakeven.settings.weights import WeightsSettings

PLAIN_NAME = "model"
"""Name of the objects of a stack's first model, or only one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoLocated:
    """Another model of the same stack: what it takes of the pool, and what a gateway must know.

    Attributes:
        model: Name of the model.
        name: Name of its objects.
        gpus: GPUs of one of its replicas.
        lowest: Its fewest replicas.
        highest: Its most replicas.
        weights_read_seconds: Time in which one of its replicas reads its weights from the volume.
        served: Names that requests may ask for: its own and its adapters'.
        api_key_secret: Secret with the key of its replicas.
        longest_request_seconds: A request of it may take so long.
        max_length: Tokens that it reads and writes together.
        overflow_api: The API that its requests may go to; None for none.
        tried: The candidate next to it; None without one.
    """

    model: str
    name: str
    gpus: int
    lowest: int
    highest: int
    weights_read_seconds: float
    served: tuple[str, ...]
    api_key_secret: str
    longest_request_seconds: int
    max_length: int
    overflow_api: OverflowApi | None = None
    tried: RolloutCandidate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a model's settings are stated, so that messages name the place to change.

    Attributes:
        entry: Its place in the list of models; None where the stack has no list.
        inherited: Keys of its groups that the top level states for it.
    """

    entry: int | None = None
    inherited: frozenset[str] = frozenset()

    def key(self, key: str) -> str:
        """Returns under which key a setting of this model is stated, or would be."""
        group, _, rest = key.partition(".")
        is_shared = group not in PER_MODEL or f"{group}.{rest.partition('.')[0]}" in self.inherited
        return key if self.entry is None or is_shared else f"models[{self.entry}].{key}"


CANDIDATE = "candidate"
"""Ending of the names of a candidate's objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutCandidate:
    """A candidate on trial, next to the model.

    Attributes:
        changes: Its settings by dotted key, as the stack states them.
        stack: The candidate alone, with its own replicas.
        promoted: The stack once the candidate is promoted.
        traffic_percent: Share of the model's requests that it answers, 1 to 99.
        has_own_pool: Whether it runs on nodes that the model cannot use.
    """

    changes: Mapping[str, object]
    stack: Stack
    promoted: Stack
    traffic_percent: int
    has_own_pool: bool

    @property
    def settings(self) -> Settings:
        """The candidate's settings."""
        [settings] = self.stack.models
        return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one model within its stack: its own groups, and those that models share.

    Attributes:
        origin: Where they are stated.
        name: Name of the model's objects.
        qualifier: What is added to names outside the namespace, to tell the model's from those of
            other models; empty for the entry that has the plain names.
        co_located: The other models of the stack.
        tried: The candidate next to it; None without one.
        is_candidate: Whether these are the settings of a candidate, not of a deployed model.
    """

    model: ModelSettings
    engine: EngineSettings
    weights: WeightsSettings
    pool: PoolSettings
    replicas: ReplicaSettings
    gateway: GatewaySettings
    network: NetworkSettings
    policy: PolicySettings
    monitoring: MonitoringSettings
    traffic: TrafficSettings
    api: ApiSettings
    pricing: PricingSettings
    staffing: StaffingSettings
    candidate: CandidateSettings
    origin: Origin
    name: str
    qualifier: str
    co_located: tuple[CoLocated, ...] = ()
    tried: RolloutCandidate | None = None
    is_candidate: bool = False

    @property
    def overflow_api(self) -> OverflowApi | None:
        """The API that requests may go to in mode hybrid; None where prompts must stay inside."""
        return overflow_api_of(self.gateway, self.network, self.model, self.api)

    @property
    def overflow_apis(self) -> Mapping[str, OverflowApi]:
        """The APIs behind the gateway, by the names of the models that they stand in for."""
        found = {self.model.facts.name: self.overflow_api}
        found |= {other.model: other.overflow_api for other in self.co_located}
        return {name: api for name, api in found.items() if api is not None}

    @property
    def separates_inside(self) -> bool:
        """Whether the gateway's pods that clients call have no way out, and others call the API.

        Where the stack lets nothing leave there is no API, and no pod has a way out.
        """
        gateway = self.gateway
        if not self.overflow_apis:
            return False
        if gateway.separate_inside is None:
            return len(gateway.leaving_teams) < len(gateway.teams)
        return gateway.separate_inside

    @property
    def replicas_per_node(self) -> int:
        """Whole replicas that fill one node, or the nodes that one replica spans."""
        return self.pool.gpus_per_node // self.engine.tensor_parallel

    def nodes_of(self, replicas: int) -> int:
        """Returns the whole nodes that so many replicas of this model fill."""
        return -(-replicas // self.replicas_per_node) * self.engine.pipeline_parallel

    @property
    def replicas_of_fleet(self) -> int:
        """Whole replicas of this model that the nodes of a pool of fixed size hold."""
        return self.pool.node_count // self.engine.pipeline_parallel * self.replicas_per_node

    @property
    def shares_nodes(self) -> bool:
        """Whether replicas of several models may run on one node: in a pool of fixed size.

        A node that comes and goes is one model's: shared, it would stay, and be paid, until the
        last replica of either model has left it.
        """
        return bool(self.co_located) and not self.pool.can_grow

    def keys(self, key: str) -> tuple[str, ...]:
        """Returns under which keys a setting that this model reads is stated, or would be."""
        return (self.origin.key(key),)

    @property
    def watched(self) -> bool:
        """Whether Prometheus reads metrics, to show them or to scale by them."""
        return self.monitoring.enabled or self.replicas.autoscaling

    @property
    def shared_weights(self) -> bool:
        """Whether replicas on different nodes can read the weights at the same time."""
        return not self.fetches_weights or self.weights.access_mode == "ReadWriteMany"

    @property
    def fetches_weights(self) -> bool:
        """Whether the stack fills a volume: with weights, or with adapters."""
        return not self.weights_are_there or bool(self.model.lora_adapters)

    @property
    def weights_read_seconds(self) -> float:
        """Time in which a replica reads its weights from the volume."""
        return self.weights.seconds_to_read(self.model.repository_bytes)

    @property
    def weights_are_there(self) -> bool:
        """Whether nobody has to fetch the weights: an image or a filled volume holds them."""
        return self.weights.image is not None or self.weights.claim is not None

    @property
    def has_spare_gpus(self) -> bool:
        """Whether one replica of each model beyond its highest finds GPUs.

        A node autoscaler brings a node for it, as far as the provider's quota goes; in a pool of
        fixed size the GPUs must be there.
        """
        if not self.pool.can_grow:
            if not self.co_located:
                return self.replicas_of_fleet > self.replicas.max
            own = (self.engine.tensor_parallel, self.replicas.max)
            others = ((other.gpus, other.highest) for other in self.co_located)
            return fits_together(self.pool, [own, *others], more=1)
        per_node = self.pool.gpus_per_node
        nodes = self.nodes_of(self.replicas.max + 1) + sum(
            -(-(other.highest + 1) * other.gpus // per_node) for other in self.co_located
        )
        return not self.pool.gpu_quota or nodes * per_node <= self.pool.gpu_quota

    @property
    def surge_replicas(self) -> int:
        """Replicas beyond the highest that a rollout may add: 1, or 0 where no GPU is spare.

        A volume that only one node can mount forbids it unless the free GPU is on that same node.
        """
        same_node = not self.pool.can_grow and self.pool.node_count == 1
        return int(self.has_spare_gpus and (self.shared_weights or same_node))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """All settings of a stack: its models, and the groups that they share.

    Attributes:
        models: At least one, in the order in which the stack lists them.
    """

    models: tuple[Settings, ...]
    pool: PoolSettings
    gateway: GatewaySettings
    network: NetworkSettings
    policy: PolicySettings
    monitoring: MonitoringSettings
    pricing: PricingSettings
    staffing: StaffingSettings

    def keys(self, key: str) -> tuple[str, ...]:
        """Returns under which keys its models state a setting, or would."""
        return tuple(dict.fromkeys(model.origin.key(key) for model in self.models))

    @property
    def trials(self) -> tuple[RolloutCandidate, ...]:
        """The candidates on trial, in the order of their models."""
        return tuple(model.tried for model in self.models if model.tried is not None)

    @property
    def entry_scheme(self) -> str:
        """By which clients call what the stack offers: "http" or "https"."""
        return self.gateway.scheme if self.gateway.is_on else self.network.scheme

    @property
    def watched(self) -> bool:
        """Whether Prometheus reads metrics of a model."""
        return any(model.watched for model in self.models)

    @property
    def shares_nodes(self) -> bool:
        """Whether replicas of several models may run on one node."""
        return any(model.shares_nodes for model in self.models)

    @property
    def nodes_of_lowest(self) -> int:
        """Nodes that all models' fewest replicas fill."""
        return sum(model.nodes_of(model.replicas.min) for model in self.models)

    @property
    def peak_gpus(self) -> int:
        """GPUs that may run at once: those of all models' replicas and rollouts, in whole nodes.

        To replace a drifted node Karpenter may go above it by one node for a moment, because it
        asks whether the limit is exceeded already (Provisioner.Create).
        """
        if self.shares_nodes:
            return self.pool.node_count * self.pool.gpus_per_node
        tried = (trial.settings for trial in self.trials if not trial.has_own_pool)
        models = (*self.models, *tried)
        nodes = (model.nodes_of(model.replicas.max + model.surge_replicas) for model in models)
        return sum(nodes) * self.pool.gpus_per_node

    @property
    def fits(self) -> bool:
        """Whether a pool of fixed size has room for all models, on whichever nodes they start."""
        asked = [(model.engine.tensor_parallel, model.replicas.max) for model in self.models]
        return fits_together(self.pool, asked)


def fits_together(pool: PoolSettings, asked: Sequence[tuple[int, int]], more: int = 0) -> bool:
    """Whether replicas of several models find room in a pool of fixed size, however they start.

    Kubernetes spreads pods and moves none, so that small replicas may leave no node with room
    for a large one although there are GPUs enough. A node is closed to it once all but fewer
    GPUs than it needs are taken; others must not be able to close all nodes.

    Args:
        pool: The pool.
        asked: Of each model the GPUs of a replica, and the most replicas.
        more: Replicas of each model beyond its most.
    """
    taken = sum(gpus * (highest + more) for gpus, highest in asked)
    largest, smallest = max(gpus for gpus, _ in asked), min(gpus for gpus, _ in asked)
    return taken - largest < pool.node_count * (pool.gpus_per_node - largest + smallest)
