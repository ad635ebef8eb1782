"""The settings of a stack as frozen dataclasses of plain values, known at preview."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from components.cost.gpus import Gpu
from components.cost.models import ModelFacts

FIRST_MODEL = "model"
"""Name of the objects of a stack's first model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSettings:
    """A LoRA adapter; clients ask for it by its name."""

    name: str
    repository: str
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """What is served. `previous_revision` is None where no other weights are kept."""

    facts: ModelFacts
    repository: str
    revision: str
    previous_revision: str | None
    precision: str
    max_model_length: int
    adapters: tuple[AdapterSettings, ...]
    adapter_rank: int

    @property
    def adapter_bytes(self) -> int:
        """What all adapters take, in bytes: on the GPUs of a replica, and in the volume at most."""
        return len(self.adapters) * self.facts.adapter_bytes(self.adapter_rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How vLLM runs.

    `pipeline_parallel` is the nodes of a replica; `longest_request_seconds` bounds the drain of one
    that stops.
    """

    image: str
    version: tuple[int, ...]
    tensor_parallel: int
    pipeline_parallel: int
    gpu_memory_utilization: Decimal
    longest_request_seconds: int
    api_key_secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsSettings:
    """Where the weights lie.

    `image` is None where a volume holds them; `claim` is a volume that holds them already, None
    where a Job fills one; `hub_token_secret` is None for an open repository.
    """

    storage_class: str
    access_mode: str
    image: str | None
    claim: str | None
    read_megabytes_per_second: int
    hub_token_secret: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterApiTemplate:
    """A template in the management cluster that machines are made from; all empty for none."""

    group: str = ""
    kind: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterApiSettings:
    """Where Cluster API lives, and what its machines are made from.

    `context` is the management cluster's in the kubeconfig; empty where a cluster manages itself.
    """

    context: str
    cluster: str
    namespace: str
    version: str
    bootstrap: ClusterApiTemplate
    machine: ClusterApiTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """Where GPU nodes come from and what they look like. `gpu_quota` is 0 where none is known."""

    kind: str
    gpu: Gpu
    gpus_per_node: int
    gpu_quota: int
    node_count: int
    node_labels: Mapping[str, str]
    node_taints: tuple[str, ...]
    instance_types: tuple[str, ...]
    capacity_types: tuple[str, ...]
    spot_interruptions_per_month: Decimal
    karpenter_node_role: str
    karpenter_discovery_tag: str
    karpenter_node_image: str
    gke_reservations: tuple[str, ...]
    gke_service_account: str
    cluster_api: ClusterApiSettings
    node_volume_gigabytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledReplicas:
    """Hours of a week with at least so many replicas. Days count from 0 for Monday."""

    first_day: int
    last_day: int
    start: str
    end: str
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaSettings:
    """How many replicas run, and what adds or removes one."""

    autoscaling: bool
    lowest: int
    highest: int
    target_requests: int
    target_waiting: int
    scale_down_seconds: int
    prometheus_address: str
    schedule: tuple[ScheduledReplicas, ...]
    schedule_time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """Who may call the model."""

    namespace: str
    client_namespaces: tuple[str, ...]
    exposure: str
    client_networks: tuple[str, ...]
    node_local_dns: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSettings:
    """Who may call the gateway, and up to where; None where there is no limit."""

    name: str
    tokens_per_day: int | None
    usd_per_month: Decimal | None
    data_may_leave: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OverflowSettings:
    """The API behind the gateway: its model, its address in OpenAI's form, and where its key is."""

    model: str
    address: str
    key_secret: str
    timeout_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """The gateway. `overflow` is None where data may not leave: then it knows no API."""

    image: str
    store_image: str
    replicas: int
    secret: str
    team_keys_secret: str
    teams: tuple[TeamSettings, ...]
    overflow: OverflowSettings | None
    requests_per_replica: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingSettings:
    """The OpenTelemetry collector: a Service's `namespace`, or None where `host` is an address."""

    scheme: str
    host: str
    port: int
    namespace: str | None

    @property
    def url(self) -> str:
        """Where vLLM sends spans to, by gRPC; https is encrypted (seen with vLLM 0.24)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundarySettings:
    """What may leave, where images come from (empty: where each names), what is waived."""

    network: str
    registry: str
    waiver_files: tuple[Path, ...]

    @property
    def is_air_gapped(self) -> bool:
        """Whether nothing may leave."""
        return self.network == "air-gapped"

    def image(self, name: str) -> str:
        """Returns an image's name in the private registry; the name itself where there is none.

        Only the host changes: path, tag and digest stay, so the image stays the same one.
        """
        return f"{self.registry}/{name.partition('/')[2]}" if self.registry else name


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringSettings:
    """What watches it, and the latency objectives in seconds (95% of requests, 95% of tokens).

    `gpu_metrics` says that NVIDIA's DCGM exporter runs; `runbooks` is where docs/runbooks can be
    read; `tracing` is None where no traces are sent.
    """

    enabled: bool
    namespace: str
    time_to_first_token_seconds: Decimal
    inter_token_latency_seconds: Decimal
    gpu_metrics: bool
    runbooks: str
    tracing: TracingSettings | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSettings:
    """The load. Tokens per request are means; `cached_input_percent` is a share of the input."""

    tokens_per_day: int
    input_tokens: int
    output_tokens: int
    cached_input_percent: int
    shape: str
    burst_factor: Decimal
    measured_output_tokens_per_second: Decimal | None
    data_may_leave: bool
    api_in_use: str
    hosted_apis: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedNodeSettings:
    """What one owned node costs. Prices in USD, power in watts at the wall."""

    purchase_price: Decimal
    amortisation_years: int
    residual_percent: int
    power_watts: int
    power_usage_effectiveness: Decimal
    electricity_price_per_kwh: Decimal
    rack_and_support_per_month: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSettings:
    """Where prices come from. `stated_node_price` is USD an hour; `month` is calendar or 30d."""

    node_pricing: str
    cloud: str
    region: str
    commitment_percent: int
    commitment_years: int
    stated_node_price: Decimal | None
    owned_node: OwnedNodeSettings | None
    control_plane: str
    control_plane_share_percent: int
    system_instance_type: str
    system_node_count: int
    nat_gateway_share_percent: int
    overrides: Mapping[str, Decimal]
    private_overrides: frozenset[str]
    budget_per_month: Decimal | None
    max_age_days: int
    month: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSettings:
    """What people cost. Salary in USD a year, on-call pay in USD a month."""

    engineer_salary: Decimal
    engineer_percent: int
    on_call_per_month: Decimal
    contingency_percent: int


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
class Settings:
    """All settings of one model of a stack, and those that its models share.

    `gateway` is None in mode self-host. `name` is that of the model's objects, `beside` what the
    stack's other models take of the pool, and `others` those models; of the first model alone.
    """

    model: ModelSettings
    engine: EngineSettings
    weights: WeightsSettings
    pool: PoolSettings
    replicas: ReplicaSettings
    gateway: GatewaySettings | None
    network: NetworkSettings
    boundary: BoundarySettings
    monitoring: MonitoringSettings
    traffic: TrafficSettings
    prices: PriceSettings
    people: PeopleSettings
    name: str = FIRST_MODEL
    beside: tuple[PoolShare, ...] = ()
    others: tuple[Settings, ...] = ()

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
            lowest=self.replicas.lowest,
            highest=self.replicas.highest,
            shared_weights=self.shared_weights,
        )

    @property
    def shares_nodes(self) -> bool:
        """Whether replicas of several models may run on one node: in a pool of fixed size.

        A node that comes and goes is one model's: shared, it would stay, and be paid, until the
        last replica of either model has left it.
        """
        return bool(self.beside) and self.pool.kind == "existing"

    @property
    def nodes_of_lowest(self) -> int:
        """Nodes that all models' fewest replicas fill."""
        return self.nodes_of(self.replicas.lowest) + sum(
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
        nodes = self.nodes_of(self.replicas.highest + self.surge_replicas) + sum(
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
        return not self.weights_are_there or bool(self.model.adapters)

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
        if self.pool.kind == "existing":
            return self.holds(1)
        nodes = self.nodes_of(self.replicas.highest + 1) + sum(
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
            return self.replicas_of_fleet >= self.replicas.highest + more
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
        same_node = self.pool.kind == "existing" and self.pool.node_count == 1
        return int(self.has_spare_gpus and (share.shared_weights or same_node))
