"""From the settings of one model to its demand, and to what a replica serves of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from breakeven.catalog.api_prices import ApiPrice, UnknownApiModelError, api_price
from breakeven.cost.capacity.capacity import ReplicaCapacity, replica_capacity
from breakeven.cost.demand.load import Load, flat_shape, published_shape, read_shape
from breakeven.formatting import counted
from breakeven.manifests.gateway.labels import METRICS_PORT
from breakeven.manifests.serving.labels import ENGINE_PORT
from breakeven.manifests.serving.rollout import rollout_of
from breakeven.planning.fleet import HOURS_A_WEEK, VLLM_LARGEST_BATCH
from breakeven.settings.files import ROOT
from breakeven.settings.groups import PoolSettings
from breakeven.settings.reader import ConfigReader
from breakeven.settings.stack import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDemand:
    """The traffic of a model, and the APIs that could serve it."""

    load: Load
    api_in_use: ApiPrice
    hosted: tuple[ApiPrice, ...]


def demand_of(settings: Settings, reader: ConfigReader, today: date) -> ModelDemand | None:
    """Gathers a model's traffic and its APIs' prices; None where the API in use has none.

    Args:
        settings: Of the model.
        reader: Takes every mistake found.
        today: Day on which prices are looked up.
    """
    load = _load(settings, reader)
    api_in_use = _api("apiInUse", settings.api.in_use, load, reader, today)
    hosted = _hosted(settings, load, reader, today)
    if api_in_use is None:
        return None
    return ModelDemand(load=load, api_in_use=api_in_use, hosted=hosted)


def capacity_of(settings: Settings, reader: ConfigReader, load: Load) -> ReplicaCapacity:
    """Returns what a replica is planned to serve; rejects a target that it can't hold.

    Args:
        settings: Of the model.
        reader: Takes every mistake found.
        load: Its traffic.
    """
    model, engine = settings.model, settings.engine
    measured = settings.engine.measured_output_tokens_per_second
    capacity = replica_capacity(
        model.facts,
        precision=model.precision,
        gpu=settings.pool.gpu,
        tensor_parallel=engine.tensor_parallel,
        pipeline_parallel=engine.pipeline_parallel,
        adapter_bytes=model.adapter_bytes,
        gpu_memory_utilization=float(engine.gpu_memory_utilization),
        max_model_length=model.max_length,
        input_tokens=load.input_tokens,
        output_tokens=load.output_tokens,
        cached_input_share=load.cached_input_share,
        concurrency_limit=_concurrency(settings),
        measured_output_tokens_per_second=None if measured is None else float(measured),
    )
    _check_target(settings, reader, capacity.concurrent_requests)
    return capacity


def in_words(settings: Settings) -> str:
    """Says in words which model is served, and on what."""
    model = settings.model
    return f"{model.facts.name} in {model.precision}, {_replicas(settings)} of {_gpus(settings)}"


def notes_of(settings: Settings) -> tuple[str, ...]:
    """Returns what a reader of the estimate has to know about the deployment, as sentences."""
    notes = [rollout_of(settings).explanation]
    nodes = settings.engine.pipeline_parallel
    if nodes > 1:
        notes.append(
            f"A replica spans {nodes} nodes, which come and go together: where nodes are counted, "
            f"but for node-hours, {nodes} count as one."
        )
    if settings.model.lora_adapters:
        notes.append(
            "Memory of the LoRA adapters is in the capacity; the work that they add is not: a "
            "measurement of your own (measuredOutputTokensPerSecond) has it."
        )
    if settings.replicas.schedule:
        notes.append(
            "The schedule's hours are in the nodes of the estimate, as if the traffic's first hour "
            f"were Monday 0:00 {settings.replicas.time_zone}; break-even leaves them out."
        )
    if settings.replicas.autoscaling and not settings.monitoring.enabled:
        notes.append(_unmonitored(settings))
    if settings.pricing.nodes == "list":
        notes += _purchase_notes(settings.pool)
    return tuple(notes)


def _purchase_notes(pool: PoolSettings) -> Iterator[str]:
    first, others = pool.first_purchase, pool.capacity_types[1:]
    if first == "reserved":
        yield (
            "Nodes are priced as reserved for the hours that they run; a reservation is paid for "
            "all hours, so keep minReplicas at what is reserved."
        )
    elif others and pool.kind.purchases:
        yield (
            f"Nodes are priced as {first}; what is not to be had is tried as "
            f"{', then '.join(others)}, at that price."
        )


def _unmonitored(settings: Settings) -> str:
    gateways = "" if settings.replicas.min else f", and of the gateways (port {METRICS_PORT})"
    return (
        "monitoring is false, so no PodMonitor is made, while KEDA scales by what "
        f"{settings.monitoring.prometheus_address} reads: let it read /metrics of the replicas "
        f"(port {ENGINE_PORT}){gateways}, with the label namespace."
    )


def _replicas(settings: Settings) -> str:
    replicas = settings.replicas
    if replicas.min != replicas.max:
        return f"{replicas.min} to {replicas.max} replicas"
    return counted(replicas.max, "replica")


def _check_target(settings: Settings, reader: ConfigReader, held: int) -> None:
    """Refuses to aim at more requests in flight than run at once: the rest would wait for ever."""
    target = settings.replicas.target_requests
    if settings.replicas.autoscaling and target > held:
        reader.reject(
            "targetRequestsPerReplica",
            f"{target}, but a replica's memory holds {held} requests of this length",
            f"Allowed: 1 to {held}; a higher tensorParallel or a larger gpu holds more",
        )


def _gpus(settings: Settings) -> str:
    engine = settings.engine
    gpus = f"{engine.tensor_parallel} x {settings.pool.gpu.name}"
    return gpus if engine.pipeline_parallel == 1 else f"{engine.pipeline_parallel} nodes x {gpus}"


def _concurrency(settings: Settings) -> int:
    """Returns the requests in flight at which a replica counts as full."""
    if settings.replicas.autoscaling:
        return settings.replicas.target_requests
    return VLLM_LARGEST_BATCH


def _load(settings: Settings, reader: ConfigReader) -> Load:
    traffic = settings.traffic
    shape, source = published_shape()
    if traffic.shape == "flat":
        shape, source = flat_shape(), "flat, every hour alike"
    elif traffic.shape != "published":
        path = ROOT / "stacks" / "traffic" / traffic.shape
        try:
            shape, source = read_shape(path), f"stacks/traffic/{traffic.shape}"
        except ValueError as error:
            reader.reject("trafficShape", f"{traffic.shape}, {error}", "Mend the file")
    if settings.replicas.schedule and len(shape) % HOURS_A_WEEK:
        reader.reject(
            "trafficShape",
            f"{traffic.shape} has {len(shape)} hours, with scheduledReplicas",
            f"Allowed: whole weeks of {HOURS_A_WEEK} hours from Monday 0:00",
        )
    return Load(
        tokens_per_day=traffic.tokens_per_day,
        input_tokens=traffic.input_tokens,
        output_tokens=traffic.output_tokens,
        cached_input_share=traffic.cached_input_percent / 100,
        shape=shape,
        shape_source=source,
        burst_factor=float(traffic.burst_factor),
    )


def _hosted(
    settings: Settings, load: Load, reader: ConfigReader, today: date
) -> tuple[ApiPrice, ...]:
    references = settings.api.hosted or settings.model.facts.hosted
    prices = (_api("hostedApis", reference, load, reader, today) for reference in references)
    return tuple(price for price in prices if price is not None)


def _api(
    key: str, reference: str, load: Load, reader: ConfigReader, today: date
) -> ApiPrice | None:
    if not reader.usable(key):
        return None
    try:
        return api_price(
            reference,
            input_tokens=load.input_tokens,
            output_tokens=load.output_tokens,
            cached_input_tokens=load.cached_input_tokens,
            on=datetime(today.year, today.month, today.day, tzinfo=UTC),
        )
    except UnknownApiModelError as error:
        near = f"Closest: {', '.join(error.near)}" if error.near else "See the list of genai-prices"
        reader.reject(key, f'no price is known for "{reference}"', near, price=True)
        return None
