"""All settings of a stack, and what follows from several groups of them."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.catalog.api_addresses import API_ADDRESSES
from breakeven.settings.api import ApiSettings
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
from breakeven.settings.staffing import StaffingSettings
from breakeven.settings.traffic import TrafficSettings
from breakeven.settings.weights import WeightsSettings

FIRST_MODEL = "model"
"""Name of the objects of a stack's first model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolShare:
    """What a model asks of the pool: GPUs of a replica, fewest and most replicas.

    `shared_weights` says whether replicas on different nodes can read its weights.
    """

    gpus: int
    lowest: int
    highest: int
    shared_weights: bool


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


@dataclass(frozen=True, slots=True, kw_only=True)
class OverflowApi:
    """The API behind the gateway: its model, and its address in OpenAI's form."""

    model: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one model of a stack, and those that its models share.

    `name` is that of the model's objects, `beside` what the
    stack's other models take of the pool, and `others` those models; of the first model alone.
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
    origin: Origin = Origin()
    name: str = FIRST_MODEL
    beside: tuple[PoolShare, ...] = ()
    others: tuple[Settings, ...] = ()

    @property
    def overflow_api(self) -> OverflowApi | None:
        """The API that requests may go to in mode hybrid; None where prompts must stay inside."""
        if not self.gateway.is_hybrid or not self.network.data_may_leave:
            return None
        provider, _, _ = self.api.in_use.partition("/")
        return OverflowApi(
            model=self.api.in_use,
            address=self.gateway.overflow.address or API_ADDRESSES.get(provider, ""),
        )

    @property
    def models(self) -> tuple[Settings, ...]:
        """All models of the stack; asked of the first one."""
        return (self, *self.others)

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
    def share(self) -> PoolShare:
        """What this model asks of the pool."""
        return PoolShare(
            gpus=self.engine.tensor_parallel,
            lowest=self.replicas.min,
            highest=self.replicas.max,
            shared_weights=self.shared_weights,
        )

    @property
    def shares_nodes(self) -> bool:
        """Whether replicas of several models may run on one node: in a pool of fixed size.

        A node that comes and goes is one model's: shared, it would stay, and be paid, until the
        last replica of either model has left it.
        """
        return bool(self.beside) and not self.pool.can_grow

    @property
    def nodes_of_lowest(self) -> int:
        """Nodes that all models' fewest replicas fill."""
        return self.nodes_of(self.replicas.min) + sum(
            self._nodes_beside(share, share.lowest) for share in self.beside
        )

    @property
    def peak_gpus(self) -> int:
        """GPUs that may run at once: those of all models' replicas and rollouts, in whole nodes.

        To replace a drifted node Karpenter may go above it by one node for a moment, because it
        asks whether the limit is exceeded already (Provisioner.Create).
        """
        if self.shares_nodes:
            return self.pool.node_count * self.pool.gpus_per_node
        nodes = self.nodes_of(self.replicas.max + self.surge_replicas) + sum(
            self._nodes_beside(share, share.highest + self._surge(share)) for share in self.beside
        )
        return nodes * self.pool.gpus_per_node

    def _nodes_beside(self, share: PoolShare, replicas: int) -> int:
        return -(-replicas * share.gpus // self.pool.gpus_per_node)

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
        """Whether the stack fills a volume: with weights, or with adapters beside them."""
        return not self.weights_are_there or bool(self.model.lora_adapters)

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
            return self.holds(1)
        nodes = self.nodes_of(self.replicas.max + 1) + sum(
            self._nodes_beside(share, share.highest + 1) for share in self.beside
        )
        quota = self.pool.gpu_quota
        return not quota or nodes * self.pool.gpus_per_node <= quota

    def holds(self, more: int = 0) -> bool:
        """Whether a pool of fixed size has room for all models' replicas, however they are placed.

        Kubernetes spreads pods and moves none, so that small replicas may leave no node with room
        for a large one although there are GPUs enough. A node is closed to it once all but fewer
        GPUs than it needs are taken; others must not be able to close all nodes.

        Args:
            more: Replicas of each model beyond its highest.
        """
        if not self.beside:
            return self.replicas_of_fleet >= self.replicas.max + more
        shares, per_node = (self.share, *self.beside), self.pool.gpus_per_node
        taken = sum(share.gpus * (share.highest + more) for share in shares)
        largest = max(share.gpus for share in shares)
        smallest = min(share.gpus for share in shares)
        return taken - largest < self.pool.node_count * (per_node - largest + smallest)

    @property
    def surge_replicas(self) -> int:
        """Replicas beyond the highest that a rollout may add: 1, or 0 where no GPU is spare.

        A volume that only one node can mount forbids it unless the free GPU is on that same node.
        """
        return self._surge(self.share)

    def _surge(self, share: PoolShare) -> int:
        same_node = not self.pool.can_grow and self.pool.node_count == 1
        return int(self.has_spare_gpus and (share.shared_weights or same_node))
