"""Reads all settings of a stack, once, into the frozen dataclasses of `settings.groups`.

The only reader of configuration. Ranges are checked here, combinations in
`settings.combinations`, what concerns prices in `planning`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from breakeven.addresses import is_inside
from breakeven.catalog.clouds import CLOUDS, CONTROL_PLANES
from breakeven.catalog.models import PRECISION_BYTES, find_model, load_models
from breakeven.cost.capacity.roofline import TENSOR_PARALLEL
from breakeven.settings.adapters import read_adapters, read_rank
from breakeven.settings.boundary import check_boundary, read_policy
from breakeven.settings.combinations import check
from breakeven.settings.fields import (
    DIGEST,
    HOST_ALLOWED,
    IMAGE,
    LABEL,
    LABEL_ALLOWED,
    MACHINE_TYPE,
    REGISTRY_HOST,
    SUBDOMAIN,
    SUBDOMAIN_ALLOWED,
)
from breakeven.settings.files import ROOT, defaults
from breakeven.settings.gateway import check_gateway, read_gateway
from breakeven.settings.groups import (
    IN_CLUSTER,
    INTERNAL_LOAD_BALANCER,
    ApiSettings,
    EngineSettings,
    ModelSettings,
    NetworkSettings,
    OwnedNodeSettings,
    PricingSettings,
    ReplicaSettings,
    StaffingSettings,
    TrafficSettings,
)
from breakeven.settings.models import check_models, entry_readers, named, shares_beside
from breakeven.settings.monitoring import check_monitoring, read_monitoring
from breakeven.settings.pool import read_pool
from breakeven.settings.reader import ConfigReader
from breakeven.settings.schedule import read_schedule, read_time_zone
from breakeven.settings.stack import FIRST_MODEL, Settings
from breakeven.settings.unused import check_unread
from breakeven.settings.weights import read_weights

OLDEST_ENGINE = (0, 18)
MOST_REPLICAS = 1000
NETWORKS = ("connected", "air-gapped")

_REGISTRY = rf"({REGISTRY_HOST}(/[a-z0-9][a-z0-9._-]*)*)?"


def parse(values: Mapping[str, str]) -> tuple[Settings, ConfigReader]:
    """Reads a stack's values into settings.

    Args:
        values: The stack's own values by key without prefix; defaults come from Pulumi.yaml.

    Returns:
        The settings, and the reader that holds every mistake found. Where a value could not be
        used its default stands in the settings, so that a caller may check more before it raises.
    """
    reader = ConfigReader(values, defaults())
    reader.entry_readers = tuple(entry_readers(reader, values, defaults()))
    readers = [reader, *reader.entry_readers]
    models = [read(each) for each in readers]
    beside = shares_beside(models)
    first, *others = (
        replace(model, beside=shares, name=named(model) if number else FIRST_MODEL)
        for number, (model, shares) in enumerate(zip(models, beside, strict=True))
    )
    settings = replace(first, others=tuple(others))
    for model, of_model in zip(settings.models, readers, strict=True):
        _check(model, of_model)
    check_models(settings, reader)
    return settings, reader


def read(reader: ConfigReader) -> Settings:
    """Reads the settings of one model and of the stack around it; checks no combinations."""
    network, gateway = _network(reader), read_gateway(reader)
    engine, weights = _engine(reader), read_weights(reader)
    return Settings(
        model=_model(reader),
        engine=replace(engine, image=network.image(engine.image)),
        weights=replace(weights, image=weights.image and network.image(weights.image)),
        pool=read_pool(reader),
        replicas=_replicas(reader),
        gateway=replace(
            gateway,
            image=network.image(gateway.image),
            store_image=network.image(gateway.store_image),
        ),
        network=network,
        policy=read_policy(reader),
        monitoring=read_monitoring(reader),
        traffic=_traffic(reader),
        api=_api(reader),
        pricing=_pricing(reader),
        staffing=_staffing(reader),
    )


def _check(settings: Settings, reader: ConfigReader) -> None:
    check_gateway(settings, reader)
    check(settings, reader)
    check_monitoring(settings, reader)
    check_boundary(settings, reader)
    check_unread(settings, reader)


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
        previous_revision=reader.text(
            "previousModelRevision",
            pattern=r"([0-9a-f]{40})?",
            allowed="Allowed: a commit of 40 hexadecimal digits, or empty",
        )
        or None,
        precision=reader.choice("precision", tuple(PRECISION_BYTES)),
        max_length=reader.integer("maxModelLength", 256, 1_048_576),
        lora_adapters=read_adapters(reader),
        lora_max_rank=read_rank(reader),
    )


def _engine(reader: ConfigReader) -> EngineSettings:
    image = reader.text(
        "engineImage",
        pattern=rf"{IMAGE}:v\d+\.\d+\.\d+[\w.-]*{DIGEST}",
        allowed="Allowed: HOST/PATH:vX.Y.Z@sha256:DIGEST; both tag and digest, never latest; "
        + HOST_ALLOWED,
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
        tensor_parallel=_one_of(reader, "tensorParallel", TENSOR_PARALLEL),
        pipeline_parallel=reader.integer("pipelineParallel", 1, 8),
        gpu_memory_utilization=reader.decimal("gpuMemoryUtilization", "0.50", "0.95"),
        longest_request_seconds=reader.integer("longestRequestSeconds", 10, 3600),
        api_key_secret=reader.text("apiKeySecret", pattern=SUBDOMAIN, allowed=SUBDOMAIN_ALLOWED),
        measured_output_tokens_per_second=reader.optional_decimal(
            "measuredOutputTokensPerSecond", "0.1", "1e7"
        ),
    )


def _replicas(reader: ConfigReader) -> ReplicaSettings:
    return ReplicaSettings(
        autoscaling=reader.boolean("autoscaling"),
        min=reader.integer("minReplicas", 0, MOST_REPLICAS),
        max=reader.integer("maxReplicas", 1, MOST_REPLICAS),
        target_requests=reader.integer("targetRequestsPerReplica", 1, 4096),
        target_waiting=reader.integer("targetWaitingPerReplica", 1, 4096),
        scale_down_seconds=reader.integer("scaleDownSeconds", 0, 3600),
        schedule=read_schedule(reader),
        time_zone=read_time_zone(reader),
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
        boundary=reader.choice("network", NETWORKS),
        registry=reader.text(
            "registry",
            pattern=_REGISTRY,
            allowed="Allowed: HOST, HOST:PORT or HOST/PATH of a registry, such as "
            f"registry.hospital.internal:5000/mirror; {HOST_ALLOWED}",
        ),
        data_may_leave=reader.boolean("dataMayLeave"),
        namespace=reader.text("namespace", pattern=LABEL, allowed=LABEL_ALLOWED),
        client_namespaces=reader.words("clientNamespaces", pattern=LABEL, allowed=LABEL_ALLOWED),
        exposure=reader.choice("exposure", (IN_CLUSTER, INTERNAL_LOAD_BALANCER)),
        client_networks=networks,
        node_local_dns_address=_node_local_dns(reader),
    )


def _node_local_dns(reader: ConfigReader) -> str:
    key, allowed = "nodeLocalDnsAddress", "Allowed: a link-local address such as 169.254.20.10"
    value = reader.text(key, pattern=r"(169\.254\.[0-9.]+)?", allowed=f"{allowed}, or empty")
    try:
        return value and str(ipaddress.IPv4Address(value))
    except ValueError:
        reader.reject(key, f'found "{value}"', f"{allowed}, or empty")
        return ""


def _traffic(reader: ConfigReader) -> TrafficSettings:
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
        time_to_first_token_seconds=reader.decimal("timeToFirstTokenSeconds", "0.05", "600"),
        inter_token_latency_seconds=reader.decimal("interTokenLatencySeconds", "0.001", "60"),
    )


def _api(reader: ConfigReader) -> ApiSettings:
    reference = r"[a-z0-9_-]+/\S+"
    return ApiSettings(
        in_use=reader.text(
            "apiInUse",
            pattern=reference,
            allowed="Allowed: PROVIDER/MODEL such as openai/gpt-4.1-mini",
        ),
        hosted=reader.words("hostedApis", pattern=reference, allowed="Allowed: PROVIDER/MODEL"),
    )


def _pricing(reader: ConfigReader) -> PricingSettings:
    pricing = reader.choice("nodePricing", ("list", "stated", "owned"))
    overrides, private = reader.prices("priceOverrides")
    stated = reader.optional_decimal("nodePricePerHour", "0", "10000")
    if pricing == "stated" and stated is None and reader.usable("nodePricePerHour"):
        reader.reject(
            "nodePricePerHour", "no price", "Needed with nodePricing stated: USD an hour for a node"
        )
    return PricingSettings(
        nodes=pricing,
        cloud=reader.choice("cloud", tuple(CLOUDS)),
        region=reader.text("region"),
        commitment_percent=reader.integer("commitmentPercent", 0, 90),
        commitment_years=reader.integer("commitmentYears", 1, 5),
        node_price_per_hour=stated,
        owned=_owned_node(reader, required=pricing == "owned"),
        control_plane=reader.choice("controlPlane", CONTROL_PLANES),
        control_plane_share_percent=reader.integer("controlPlaneSharePercent", 0, 100),
        system_instance_type=reader.text(
            "systemInstanceType",
            pattern=f"({MACHINE_TYPE})?",
            allowed="Allowed: a machine type such as m6i.xlarge",
        ),
        nat_gateway_share_percent=reader.integer("natGatewaySharePercent", 0, 100),
        system_node_count=reader.integer("systemNodeCount", 0, 100),
        overrides=overrides,
        private_overrides=private,
        budget_per_month=reader.optional_decimal("budgetPerMonth", "0.01", "1e9"),
        max_age_days=reader.integer("priceMaxAgeDays", 1, 36_500),
        month=reader.choice("month", ("calendar", "30d")),
    )


def _owned_node(reader: ConfigReader, *, required: bool) -> OwnedNodeSettings:
    purchase = reader.optional_decimal("nodePurchasePrice", "1", "1e8")
    electricity = reader.optional_decimal("electricityPricePerKwh", "0", "5")
    node = OwnedNodeSettings(
        purchase_price=purchase or Decimal(0),
        amortization_years=reader.integer("amortisationYears", 1, 15),
        residual_percent=reader.integer("residualPercent", 0, 90),
        power_watts=reader.integer("nodePowerWatts", 0, 100_000),
        power_usage_effectiveness=reader.decimal("powerUsageEffectiveness", "1", "3"),
        electricity_price_per_kwh=electricity or Decimal(0),
        rack_and_support_per_node_month=reader.decimal("rackAndSupportPerNodeMonth", "0", "1e6"),
    )
    missing = {
        "nodePurchasePrice": purchase is None,
        "electricityPricePerKwh": electricity is None,
        "nodePowerWatts": node.power_watts == 0,
    }
    for key, absent in missing.items():
        if required and absent and reader.usable(key):
            reader.reject(key, "not stated", "Needed with nodePricing owned")
    return node


def _staffing(reader: ConfigReader) -> StaffingSettings:
    return StaffingSettings(
        engineer_salary=reader.decimal("engineerSalary", "0", "2000000"),
        engineer_percent=reader.integer("engineerPercent", 0, 1000),
        on_call_per_month=reader.decimal("onCallPerMonth", "0", "1000000"),
        contingency_percent=reader.integer("contingencyPercent", 0, 100),
    )


def _one_of(reader: ConfigReader, key: str, allowed: tuple[int, ...]) -> int:
    return int(reader.choice(key, tuple(str(number) for number in allowed)))


def _is_private(network: str) -> bool:
    try:
        return is_inside(ipaddress.ip_network(network))
    except ValueError:
        return False
