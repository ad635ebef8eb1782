"""All settings of a stack, read once into frozen dataclasses.

The only reader of configuration. Everything that decides size or price is a plain value, known at
preview. Ranges and combinations are checked here; what concerns prices is checked in costing.py.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from components.config_reader import ConfigReader
from components.cost.capacity import memory_fit, smallest_fits
from components.cost.gpus import Gpu, find_gpu, load_gpus
from components.cost.models import PRECISION_BYTES, ModelFacts, find_model, load_models
from components.project import ROOT, defaults

POOLS = ("existing", "karpenter-aws")
OLDEST_ENGINE = (0, 18)

_OTHER_VENDORS = ("mi300x",)
_FETCHES_AT_START = "gpt-oss-"

_DNS_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_SUBDOMAIN = rf"{_DNS_LABEL}(\.{_DNS_LABEL})*"
_NAME = "Allowed: a Kubernetes name: lower-case letters, digits and hyphens, at most 63"
_MACHINE_TYPE = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """What is served."""

    facts: ModelFacts
    repository: str
    revision: str
    precision: str
    max_model_length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How vLLM runs. `longest_request_seconds` bounds the drain of a stopping replica."""

    image: str
    version: tuple[int, ...]
    tensor_parallel: int
    gpu_memory_utilization: Decimal
    longest_request_seconds: int
    api_key_secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsSettings:
    """Where the weights lie. `hub_token_secret` is None for an open repository."""

    storage_class: str
    access_mode: str
    read_megabytes_per_second: int
    hub_token_secret: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """Where GPU nodes come from and what they look like."""

    kind: str
    gpu: Gpu
    gpus_per_node: int
    node_count: int
    node_labels: Mapping[str, str]
    instance_types: tuple[str, ...]
    capacity_types: tuple[str, ...]
    karpenter_node_role: str
    karpenter_discovery_tag: str
    karpenter_node_image: str
    node_volume_gigabytes: int


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """Who may call the model."""

    namespace: str
    client_namespaces: tuple[str, ...]
    exposure: str
    client_networks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringSettings:
    """What watches it, and the latency objective in seconds (95% of requests)."""

    enabled: bool
    namespace: str
    time_to_first_token_seconds: Decimal


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
    stated_node_price: Decimal | None
    owned_node: OwnedNodeSettings | None
    control_plane: str
    control_plane_share_percent: int
    system_instance_type: str
    system_node_count: int
    overrides: Mapping[str, Decimal]
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
class Settings:
    """All settings of one stack."""

    model: ModelSettings
    engine: EngineSettings
    weights: WeightsSettings
    pool: PoolSettings
    replicas: ReplicaSettings
    network: NetworkSettings
    monitoring: MonitoringSettings
    traffic: TrafficSettings
    prices: PriceSettings
    people: PeopleSettings

    @property
    def replicas_per_node(self) -> int:
        """Whole replicas that fill one node."""
        return self.pool.gpus_per_node // self.engine.tensor_parallel

    @property
    def shared_weights(self) -> bool:
        """Whether replicas on different nodes can read the weights at the same time."""
        return self.weights.access_mode == "ReadWriteMany"

    @property
    def surge_replicas(self) -> int:
        """Replicas beyond the highest that a rollout may add: 1, or 0 where no GPU is spare.

        A node autoscaler brings a node for it; in a pool of fixed size a GPU must be free. A volume
        that only one node can mount forbids it unless the free GPU is on that same node.
        """
        if self.pool.kind == "existing":
            fleet = self.pool.node_count * self.replicas_per_node
            spare = fleet > self.replicas.highest
            return int(spare and (self.shared_weights or self.pool.node_count == 1))
        return int(self.shared_weights)


def parse(values: Mapping[str, str]) -> tuple[Settings, ConfigReader]:
    """Reads a stack's values into settings.

    Args:
        values: The stack's own values by key without prefix; defaults come from Pulumi.yaml.

    Returns:
        The settings, and the reader that holds every mistake found. Where a value could not be
        used its default stands in the settings, so that a caller may check more before it raises.
    """
    reader = ConfigReader(values, defaults())
    settings = Settings(
        model=_model(reader),
        engine=_engine(reader),
        weights=_weights(reader),
        pool=_pool(reader),
        replicas=_replicas(reader),
        network=_network(reader),
        monitoring=_monitoring(reader),
        traffic=_traffic(reader),
        prices=_prices(reader),
        people=_people(reader),
    )
    _check_model(settings, reader)
    _check_support(settings, reader)
    _check_pool(settings, reader)
    _check_replicas(settings, reader)
    _check_network(settings, reader)
    return settings, reader


def _model(reader: ConfigReader) -> ModelSettings:
    return ModelSettings(
        facts=find_model(reader.choice("model", tuple(load_models()))),
        repository=reader.text(
            "modelRepository",
            pattern=r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*",
            allowed="Allowed: OWNER/NAME of a Hugging Face repository",
        ),
        revision=reader.text(
            "modelRevision",
            pattern=r"[0-9a-f]{40}",
            allowed="Allowed: a commit of 40 hexadecimal digits; a branch or tag can move",
        ),
        precision=reader.choice("precision", tuple(PRECISION_BYTES)),
        max_model_length=reader.integer("maxModelLength", 256, 1_048_576),
    )


def _engine(reader: ConfigReader) -> EngineSettings:
    image = reader.text(
        "engineImage",
        pattern=r"[a-z0-9.:-]+(/[a-z0-9._-]+)+:v\d+\.\d+\.\d+[\w.-]*@sha256:[0-9a-f]{64}",
        allowed="Allowed: HOST/PATH:vX.Y.Z@sha256:DIGEST; both tag and digest, never latest",
    )
    version = re.search(r":v(\d+)\.(\d+)\.(\d+)", image)
    numbers = tuple(int(part) for part in version.groups()) if version else ()
    if numbers[:2] < OLDEST_ENGINE:
        reader.reject(
            "engineImage",
            f"vLLM {'.'.join(map(str, numbers))} can't finish running requests when it stops",
            f"Allowed: {'.'.join(map(str, OLDEST_ENGINE))} or newer",
        )
    return EngineSettings(
        image=image,
        version=numbers,
        tensor_parallel=_one_of(reader, "tensorParallel", (1, 2, 4, 8)),
        gpu_memory_utilization=reader.decimal("gpuMemoryUtilization", "0.50", "0.95"),
        longest_request_seconds=reader.integer("longestRequestSeconds", 10, 3600),
        api_key_secret=reader.text("apiKeySecret", pattern=_SUBDOMAIN, allowed=_NAME),
    )


def _weights(reader: ConfigReader) -> WeightsSettings:
    token = reader.text("hubTokenSecret", pattern=f"({_SUBDOMAIN})?", allowed=_NAME)
    return WeightsSettings(
        storage_class=reader.text(
            "weightsStorageClass", pattern=r"[a-z0-9][a-z0-9.-]*", allowed=_NAME
        ),
        access_mode=reader.choice("weightsAccessMode", ("ReadWriteOnce", "ReadWriteMany")),
        read_megabytes_per_second=reader.integer("weightsReadMegabytesPerSecond", 10, 100_000),
        hub_token_secret=token or None,
    )


def _pool(reader: ConfigReader) -> PoolSettings:
    return PoolSettings(
        kind=reader.choice("pool", POOLS),
        gpu=find_gpu(reader.choice("gpu", tuple(load_gpus()))),
        gpus_per_node=reader.integer("gpusPerNode", 1, 16),
        node_count=reader.integer("nodeCount", 1, 1000),
        node_labels=reader.labels("nodeLabels"),
        instance_types=reader.words(
            "instanceTypes",
            pattern=_MACHINE_TYPE,
            allowed="Allowed: machine types such as g6e.xlarge",
        ),
        capacity_types=reader.words(
            "capacityTypes",
            pattern="reserved|on-demand|spot",
            allowed="Allowed: reserved, on-demand, spot",
        ),
        karpenter_node_role=reader.text("karpenterNodeRole"),
        karpenter_discovery_tag=reader.text("karpenterDiscoveryTag"),
        karpenter_node_image=reader.text(
            "karpenterNodeImage",
            pattern=r"(al2023|bottlerocket)@v[0-9.]+",
            allowed="Allowed: al2023@vRELEASE or bottlerocket@vRELEASE; latest would replace every "
            "node on the day of the next release, unseen in any preview",
        ),
        node_volume_gigabytes=reader.integer("nodeVolumeGigabytes", 50, 16_000),
    )


def _replicas(reader: ConfigReader) -> ReplicaSettings:
    return ReplicaSettings(
        autoscaling=reader.boolean("autoscaling"),
        lowest=reader.integer("minReplicas", 1, 1000),
        highest=reader.integer("maxReplicas", 1, 1000),
        target_requests=reader.integer("targetRequestsPerReplica", 1, 4096),
        target_waiting=reader.integer("targetWaitingPerReplica", 1, 4096),
        scale_down_seconds=reader.integer("scaleDownSeconds", 0, 3600),
        prometheus_address=reader.text(
            "prometheusAddress",
            pattern=r"https?://[a-z0-9.-]+(:\d+)?(/\S*)?",
            allowed="Allowed: http://SERVICE.NAMESPACE.svc:PORT",
        ),
    )


def _network(reader: ConfigReader) -> NetworkSettings:
    networks = reader.words(
        "clientNetworks", pattern=r"[0-9a-f.:]+/\d+", allowed="Allowed: networks such as 10.0.0.0/8"
    )
    for network in networks:
        if not _is_private(network):
            reader.reject(
                "clientNetworks",
                f'found "{network}"',
                "Allowed: private networks, host bits 0; the model's port has paths that ask for "
                "no key, so it is never opened to the internet",
            )
    return NetworkSettings(
        namespace=reader.text("namespace", pattern=_DNS_LABEL, allowed=_NAME),
        client_namespaces=reader.words("clientNamespaces", pattern=_DNS_LABEL, allowed=_NAME),
        exposure=reader.choice("exposure", ("cluster", "internal-load-balancer")),
        client_networks=networks,
    )


def _monitoring(reader: ConfigReader) -> MonitoringSettings:
    return MonitoringSettings(
        enabled=reader.boolean("monitoring"),
        namespace=reader.text("monitoringNamespace", pattern=_DNS_LABEL, allowed=_NAME),
        time_to_first_token_seconds=reader.decimal("timeToFirstTokenSeconds", "0.05", "600"),
    )


def _traffic(reader: ConfigReader) -> TrafficSettings:
    reference = r"[a-z0-9_-]+/\S+"
    shape = reader.text(
        "trafficShape",
        pattern=r"[A-Za-z0-9][\w.-]{0,127}",
        allowed="Allowed: published, flat, or the name of a file in stacks/traffic/",
    )
    if shape not in ("published", "flat") and not (ROOT / "stacks" / "traffic" / shape).is_file():
        reader.reject(
            "trafficShape",
            f'found "{shape}"',
            "Allowed: published, flat, or the name of a file in stacks/traffic/",
        )
        shape = "published"
    return TrafficSettings(
        tokens_per_day=reader.integer("tokensPerDay", 1, 10**15),
        input_tokens=reader.integer("inputTokensPerRequest", 1, 1_000_000),
        output_tokens=reader.integer("outputTokensPerRequest", 1, 1_000_000),
        cached_input_percent=reader.integer("cachedInputPercent", 0, 95),
        shape=shape,
        burst_factor=reader.decimal("burstFactor", "1", "20"),
        measured_output_tokens_per_second=reader.optional_decimal(
            "measuredOutputTokensPerSecond", "0.1", "1e7"
        ),
        data_may_leave=reader.boolean("dataMayLeave"),
        api_in_use=reader.text(
            "apiInUse",
            pattern=reference,
            allowed="Allowed: PROVIDER/MODEL such as openai/gpt-4.1-mini",
        ),
        hosted_apis=reader.words(
            "hostedApis", pattern=reference, allowed="Allowed: PROVIDER/MODEL"
        ),
    )


def _prices(reader: ConfigReader) -> PriceSettings:
    pricing = reader.choice("nodePricing", ("list", "stated", "owned"))
    stated = reader.optional_decimal("nodePricePerHour", "0", "10000")
    if pricing == "stated" and stated is None and reader.usable("nodePricePerHour"):
        reader.reject(
            "nodePricePerHour", "no price", "Needed with nodePricing stated: USD an hour for a node"
        )
    return PriceSettings(
        node_pricing=pricing,
        cloud=reader.choice("cloud", ("aws", "azure", "gcp", "none")),
        region=reader.text("region"),
        stated_node_price=stated,
        owned_node=_owned_node(reader, required=pricing == "owned"),
        control_plane=reader.choice("controlPlane", ("eks", "gke", "aks", "none")),
        control_plane_share_percent=reader.integer("controlPlaneSharePercent", 0, 100),
        system_instance_type=reader.text(
            "systemInstanceType",
            pattern=f"({_MACHINE_TYPE})?",
            allowed="Allowed: a machine type such as m6i.xlarge",
        ),
        system_node_count=reader.integer("systemNodeCount", 0, 100),
        overrides=reader.decimals("priceOverrides"),
        budget_per_month=reader.optional_decimal("budgetPerMonth", "0", "1e9"),
        max_age_days=reader.integer("priceMaxAgeDays", 1, 36_500),
        month=reader.choice("month", ("calendar", "30d")),
    )


def _owned_node(reader: ConfigReader, *, required: bool) -> OwnedNodeSettings | None:
    purchase = reader.optional_decimal("nodePurchasePrice", "1", "1e8")
    electricity = reader.optional_decimal("electricityPricePerKwh", "0", "5")
    node = OwnedNodeSettings(
        purchase_price=purchase or Decimal(0),
        amortisation_years=reader.integer("amortisationYears", 1, 15),
        residual_percent=reader.integer("residualPercent", 0, 90),
        power_watts=reader.integer("nodePowerWatts", 0, 100_000),
        power_usage_effectiveness=reader.decimal("powerUsageEffectiveness", "1", "3"),
        electricity_price_per_kwh=electricity or Decimal(0),
        rack_and_support_per_month=reader.decimal("rackAndSupportPerNodeMonth", "0", "1e6"),
    )
    if not required:
        return None
    missing = {
        "nodePurchasePrice": purchase is None,
        "electricityPricePerKwh": electricity is None,
        "nodePowerWatts": node.power_watts == 0,
    }
    for key, absent in missing.items():
        if absent and reader.usable(key):
            reader.reject(key, "not stated", "Needed with nodePricing owned")
    return node


def _people(reader: ConfigReader) -> PeopleSettings:
    return PeopleSettings(
        engineer_salary=reader.decimal("engineerSalary", "0", "2000000"),
        engineer_percent=reader.integer("engineerPercent", 0, 1000),
        on_call_per_month=reader.decimal("onCallPerMonth", "0", "1000000"),
        contingency_percent=reader.integer("contingencyPercent", 0, 100),
    )


def _check_model(settings: Settings, reader: ConfigReader) -> None:
    model, traffic = settings.model, settings.traffic
    if reader.usable("model", "maxModelLength") and (
        model.max_model_length > model.facts.max_model_length
    ):
        reader.reject(
            "maxModelLength",
            f"{model.max_model_length:,} tokens, but {model.facts.name} reads "
            f"{model.facts.max_model_length:,}",
            f"Allowed: up to {model.facts.max_model_length:,}",
        )
    request = traffic.input_tokens + traffic.output_tokens
    if reader.usable("maxModelLength", "inputTokensPerRequest", "outputTokensPerRequest") and (
        request > model.max_model_length
    ):
        reader.reject(
            "maxModelLength",
            f"{model.max_model_length:,} tokens, but a mean request has {request:,} "
            "(inputTokensPerRequest + outputTokensPerRequest)",
            f"Allowed: {request:,} or more",
        )
    parallel = settings.engine.tensor_parallel
    if reader.usable("model", "tensorParallel") and not model.facts.splits_over(parallel):
        reader.reject(
            "tensorParallel",
            f"{parallel} GPUs can't share the {model.facts.attention_heads} attention heads and "
            f"{model.facts.key_value_heads} key-value heads of {model.facts.name} evenly",
            f"Allowed: {_listed(n for n in (1, 2, 4, 8) if model.facts.splits_over(n))}",
        )
    if not reader.usable(
        "model", "gpu", "precision", "tensorParallel", "gpuMemoryUtilization", "maxModelLength"
    ):
        return
    fit = memory_fit(
        model.facts,
        precision=model.precision,
        gpu=settings.pool.gpu,
        tensor_parallel=parallel,
        gpu_memory_utilization=float(settings.engine.gpu_memory_utilization),
        max_model_length=model.max_model_length,
        request_tokens=request,
    )
    if not fit.fits:
        options = smallest_fits(
            model.facts,
            max_model_length=model.max_model_length,
            gpu_memory_utilization=float(settings.engine.gpu_memory_utilization),
        )
        reader.reject(
            "gpu",
            f"{model.facts.name} in {model.precision} does not fit {parallel} x "
            f"{settings.pool.gpu.name}: weights take {fit.weights_gib:.1f} GiB and leave "
            f"{max(fit.key_value_gib, 0):.1f} GiB for requests of {model.max_model_length:,} "
            "tokens",
            f"Would fit: {_listed(options)}; or shorten maxModelLength",
        )


def _check_support(settings: Settings, reader: ConfigReader) -> None:
    """Refuses what is known, and can be priced, but can't be deployed yet."""
    if reader.usable("gpu") and settings.pool.gpu.name in _OTHER_VENDORS:
        reader.reject(
            "gpu",
            f"{settings.pool.gpu.name} needs another device plugin and another engine image",
            "Allowed: NVIDIA GPUs",
        )
    if reader.usable("model") and settings.model.facts.name.startswith(_FETCHES_AT_START):
        reader.reject(
            "model",
            f"{settings.model.facts.name} makes vLLM fetch a vocabulary when it starts, and the "
            "engine's pods reach nothing outside",
            "Choose another model",
        )


def _check_pool(settings: Settings, reader: ConfigReader) -> None:
    pool, parallel = settings.pool, settings.engine.tensor_parallel
    if reader.usable("gpusPerNode", "tensorParallel") and pool.gpus_per_node % parallel:
        reader.reject(
            "tensorParallel",
            f"{parallel} GPUs a replica on nodes of {pool.gpus_per_node} (gpusPerNode)",
            f"Allowed: a divisor of {pool.gpus_per_node}, or set gpusPerNode to a multiple of "
            f"{parallel}: whole replicas must fill a node",
        )
    if not reader.usable("pool"):
        return
    if pool.kind == "karpenter-aws":
        needed = {
            "instanceTypes": not pool.instance_types,
            "capacityTypes": not pool.capacity_types,
            "karpenterNodeRole": not pool.karpenter_node_role,
            "karpenterDiscoveryTag": not pool.karpenter_discovery_tag,
        }
        for key, absent in needed.items():
            if absent and reader.usable(key):
                reader.reject(key, "empty", "Needed with pool karpenter-aws")
        if reader.usable("cloud") and settings.prices.cloud != "aws":
            reader.reject(
                "cloud", f'found "{settings.prices.cloud}"', "Allowed with pool karpenter-aws: aws"
            )
    elif not pool.node_labels and reader.usable("nodeLabels"):
        reader.reject("nodeLabels", "empty", "Needed with pool existing: labels of the GPU nodes")


def _check_replicas(settings: Settings, reader: ConfigReader) -> None:
    pool, replicas = settings.pool, settings.replicas
    if not reader.usable("minReplicas", "maxReplicas", "autoscaling"):
        return
    if replicas.lowest > replicas.highest:
        reader.reject(
            "minReplicas",
            f"{replicas.lowest} is more than maxReplicas {replicas.highest}",
            f"Allowed: 1 to {replicas.highest}, or raise maxReplicas",
        )
        return
    if not replicas.autoscaling and replicas.lowest != replicas.highest:
        reader.reject(
            "maxReplicas",
            f"{replicas.highest} differs from minReplicas {replicas.lowest} with autoscaling off",
            "Allowed: the same number, or set autoscaling to true",
        )
    if not reader.usable("maxReplicas", "pool", "nodeCount", "gpusPerNode", "tensorParallel"):
        return
    if pool.kind == "existing":
        fleet = pool.node_count * settings.replicas_per_node
        if replicas.highest > fleet:
            reader.reject(
                "maxReplicas",
                f"{replicas.highest} replicas, but nodeCount {pool.node_count} x gpusPerNode "
                f"{pool.gpus_per_node} hold {fleet} of tensorParallel "
                f"{settings.engine.tensor_parallel}",
                f"Allowed: up to {fleet}, or more nodes",
            )
    nodes = (
        min(pool.node_count, replicas.highest)
        if pool.kind == "existing"
        else -(-replicas.highest // settings.replicas_per_node)
    )
    if reader.usable("weightsAccessMode") and nodes > 1 and not settings.shared_weights:
        reader.reject(
            "weightsAccessMode",
            f"ReadWriteOnce with replicas on up to {nodes} nodes; the second node could not mount "
            "the weights",
            "Allowed: ReadWriteMany with a storage class that offers it, or one node",
        )


def _check_network(settings: Settings, reader: ConfigReader) -> None:
    network = settings.network
    if (
        network.exposure == "internal-load-balancer"
        and not network.client_networks
        and reader.usable("clientNetworks")
    ):
        reader.reject("clientNetworks", "empty", "Needed with exposure internal-load-balancer")
    if reader.usable("namespace", "monitoringNamespace") and (
        network.namespace in (settings.monitoring.namespace, "default", "kube-system")
    ):
        reader.reject(
            "namespace", f'found "{network.namespace}"', "Allowed: a namespace of the model's own"
        )


def _one_of(reader: ConfigReader, key: str, allowed: tuple[int, ...]) -> int:
    return int(reader.choice(key, tuple(str(number) for number in allowed)))


def _is_private(network: str) -> bool:
    try:
        parsed = ipaddress.ip_network(network)
    except ValueError:
        return False
    return any(
        parsed.version == private.version and parsed.subnet_of(private)  # type: ignore[arg-type]  # same version is asserted on the left
        for private in _PRIVATE_NETWORKS
    )


def _listed(items: Iterable[object]) -> str:
    return ", ".join(str(item) for item in items)
