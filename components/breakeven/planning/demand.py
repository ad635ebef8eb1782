"""From the settings of one model to its demand, and to what a replica serves of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from breakeven.catalog.api_prices import ApiPrice, UnknownApiModelError, api_price
from breakeven.cost.capacity.capacity import ReplicaCapacity, replica_capacity
from breakeven.cost.demand.load import FLAT, Load, flat_shape, published_shape, read_shape
from breakeven.planning.fleet import HOURS_A_WEEK, VLLM_LARGEST_BATCH
from breakeven.settings.files import ROOT
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


def _check_target(settings: Settings, reader: ConfigReader, held: int) -> None:
    """Refuses to aim at more requests in flight than run at once: the rest would wait forever."""
    target = settings.replicas.target_requests
    if settings.replicas.autoscaling and target > held:
        reader.reject(
            "targetRequestsPerReplica",
            f"{target}, but a replica's memory holds {held} requests of this length",
            f"Allowed: 1 to {held}; a higher tensorParallel or a larger gpu holds more",
        )


def _concurrency(settings: Settings) -> int:
    """Returns the requests in flight at which a replica counts as full."""
    if settings.replicas.autoscaling:
        return settings.replicas.target_requests
    return VLLM_LARGEST_BATCH


def _load(settings: Settings, reader: ConfigReader) -> Load:
    traffic = settings.traffic
    shape, source = published_shape()
    if traffic.shape == "flat":
        shape, source = flat_shape(), FLAT
    elif traffic.shape != "published":
        path = ROOT / "stacks" / "traffic" / traffic.shape
        try:
            shape, source = read_shape(path), f"stacks/traffic/{traffic.shape}"
        except ValueError as error:
            reader.reject("trafficShape", f"{traffic.shape}, {error}", "Fix the file")
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
