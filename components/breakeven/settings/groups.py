"""The groups of a stack's settings as frozen dataclasses of plain values, known at preview.

A field is the setting of that name, in snake case and the unit that the name says; what it means
and what is allowed stand in Pulumi.yaml and docs/settings.md. Docstrings here say only what a field
adds to that, such as when it is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from breakeven.catalog.gpus import Gpu
from breakeven.catalog.models import ModelFacts
from breakeven.catalog.pool_kinds import PoolKind
from breakeven.settings.files import WAIVERS

IN_CLUSTER, INTERNAL_LOAD_BALANCER = "cluster", "internal-load-balancer"
"""Values of `exposure`."""


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
    max_length: int
    lora_adapters: tuple[AdapterSettings, ...]
    lora_max_rank: int

    @property
    def repository_bytes(self) -> int:
        """Size of the weight files in the repository, in bytes.

        With fp8 vLLM reads bf16 files and quantises layer by layer while loading; int8 and int4
        come quantised.
        """
        return self.facts.weight_bytes("bf16" if self.precision == "fp8" else self.precision)

    @property
    def adapter_bytes(self) -> int:
        """What all adapters take, in bytes: on the GPUs of a replica, and in the volume at most."""
        return len(self.lora_adapters) * self.facts.adapter_bytes(self.lora_max_rank)


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
    measured_output_tokens_per_second: Decimal | None


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
    bootstrap_template: ClusterApiTemplate
    machine_template: ClusterApiTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class KarpenterSettings:
    """How Karpenter on EKS makes nodes."""

    node_role: str
    discovery_tag: str
    node_image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GkeSettings:
    """What a GKE compute class uses."""

    reservations: tuple[str, ...]
    service_account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """Where GPU nodes come from and what they look like. `gpu_quota` is 0 where none is known."""

    kind: PoolKind
    gpu: Gpu
    gpus_per_node: int
    gpu_quota: int
    node_count: int
    node_labels: Mapping[str, str]
    node_taints: tuple[str, ...]
    instance_types: tuple[str, ...]
    capacity_types: tuple[str, ...]
    spot_interruptions_per_month: Decimal
    karpenter: KarpenterSettings
    gke: GkeSettings
    cluster_api: ClusterApiSettings
    node_volume_gigabytes: int

    @property
    def can_grow(self) -> bool:
        """Whether nodes come and go with replicas; otherwise `node_count` of them are there."""
        return self.kind.can_grow

    @property
    def first_purchase(self) -> str:
        """How nodes are bought before anything else is tried; on demand where nothing says how."""
        buys = self.kind.purchases and self.capacity_types
        return self.capacity_types[0] if buys else "on-demand"


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
    min: int
    max: int
    target_requests: int
    target_waiting: int
    scale_down_seconds: int
    schedule: tuple[ScheduledReplicas, ...]
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """Who may call the model, what may leave, and where images come from.

    `registry` is empty where each image comes from where it is named.
    """

    boundary: str
    registry: str
    data_may_leave: bool
    namespace: str
    client_namespaces: tuple[str, ...]
    exposure: str
    client_networks: tuple[str, ...]
    node_local_dns_address: str

    @property
    def has_load_balancer(self) -> bool:
        """Whether a load balancer of the private network carries requests into the cluster."""
        return self.exposure == INTERNAL_LOAD_BALANCER

    @property
    def is_air_gapped(self) -> bool:
        """Whether nothing may leave."""
        return self.boundary == "air-gapped"

    def image(self, name: str) -> str:
        """Returns an image's name in the private registry; the name itself where there is none.

        Only the host changes: path, tag and digest stay, so the image stays the same one.
        """
        return f"{self.registry}/{name.partition('/')[2]}" if self.registry else name


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """Which rules of the policy packs single resources need not keep."""

    waivers: tuple[str, ...]

    @property
    def waiver_files(self) -> tuple[Path, ...]:
        """The files of these names."""
        return tuple(WAIVERS / name for name in self.waivers)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSettings:
    """Who may call the gateway, and up to where; None where there is no limit."""

    name: str
    tokens_per_day: int | None
    usd_per_month: Decimal | None
    data_may_leave: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OverflowSettings:
    """The API behind the gateway, and when requests go there. `address` may be empty."""

    key_secret: str
    address: str
    requests_per_replica: int
    timeout_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """The gateway of mode hybrid."""

    mode: str
    image: str
    store_image: str
    replicas: int
    secret: str
    team_keys_secret: str
    teams: tuple[TeamSettings, ...]
    overflow: OverflowSettings

    @property
    def is_hybrid(self) -> bool:
        """Whether clients call the gateway, and not the model."""
        return self.mode == "hybrid"


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingEndpoint:
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
class MonitoringSettings:
    """What watches it.

    `gpu_metrics` says that NVIDIA's DCGM exporter runs; `runbooks` is where docs/runbooks can be
    read; `tracing_endpoint` is None where no traces are sent.
    """

    enabled: bool
    namespace: str
    prometheus_address: str
    gpu_metrics: bool
    runbooks: str
    tracing_endpoint: TracingEndpoint | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficSettings:
    """The load, and the latency objectives in seconds (95% of requests, 95% of tokens).

    Tokens per request are means; `cached_input_percent` is a share of the input.
    """

    tokens_per_day: int
    input_tokens: int
    output_tokens: int
    cached_input_percent: int
    shape: str
    burst_factor: Decimal
    time_to_first_token_seconds: Decimal
    inter_token_latency_seconds: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """The API in use today, and other APIs that serve the same model."""

    in_use: str
    hosted: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedNodeSettings:
    """What one owned node costs. Prices in USD, power in watts at the wall."""

    purchase_price: Decimal
    amortization_years: int
    residual_percent: int
    power_watts: int
    power_usage_effectiveness: Decimal
    electricity_price_per_kwh: Decimal
    rack_and_support_per_node_month: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingSettings:
    """Where prices come from. `node_price_per_hour` is USD an hour; `month` is calendar or 30d."""

    nodes: str
    cloud: str
    region: str
    commitment_percent: int
    commitment_years: int
    node_price_per_hour: Decimal | None
    owned: OwnedNodeSettings
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
class StaffingSettings:
    """What people cost. Salary in USD a year, on-call pay in USD a month."""

    engineer_salary: Decimal
    engineer_percent: int
    on_call_per_month: Decimal
    contingency_percent: int
