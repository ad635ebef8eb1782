"""From the settings of one model to its demand, and to what a replica serves of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from breakeven.catalog.api_comparison import ContractPrice, Request, compared_price
from breakeven.catalog.api_prices import ApiPrice, UnknownApiModelError
from breakeven.cost.capacity.capacity import ReplicaCapacity, replica_capacity
from breakeven.cost.demand.load import FLAT, Load, flat_shape, published_shape, read_shape
from breakeven.planning.fleet import HOURS_A_WEEK, VLLM_LARGEST_BATCH
from breakeven.settings.api import ApiTerms
from breakeven.settings.fields import Conflict
from breakeven.settings.files import TRAFFIC
from breakeven.settings.stack import Settings
from breakeven.suggestions import near_names


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDemand:
    """The traffic of a model, and the APIs that could serve it."""

    load: Load
    api_in_use: ApiPrice
    hosted: tuple[ApiPrice, ...]


def demand_of(settings: Settings, today: date) -> tuple[ModelDemand | None, list[Conflict]]:
    """Gathers a model's traffic and its APIs' prices; None where the API in use has none.

    Args:
        settings: Of the model.
        today: Day on which prices are looked up.

    Returns:
        The demand, and what can't be used.
    """
    load, conflicts = _load(settings)
    found: dict[str, list[ApiPrice]] = {"api.inUse": [], "api.hosted": []}
    hosted = settings.api.hosted or settings.model.facts.hosted
    request = Request(
        input_tokens=load.input_tokens,
        cached_input_tokens=load.cached_input_tokens,
        output_tokens=load.output_tokens,
        longest=settings.model.max_length,
        regions=settings.api.regions,
    )
    for key, reference in (
        ("api.inUse", settings.api.in_use),
        *(("api.hosted", h) for h in hosted),
    ):
        price = _api(key, reference, request, today, settings.api.terms.get(reference))
        if isinstance(price, Conflict):
            conflicts.append(price)
        else:
            found[key].append(price)
    conflicts += _unused_terms(settings, (settings.api.in_use, *hosted))
    if not found["api.inUse"]:
        return None, conflicts
    [in_use], others = found["api.inUse"], tuple(found["api.hosted"])
    return ModelDemand(load=load, api_in_use=in_use, hosted=others), conflicts


def capacity_of(settings: Settings, load: Load) -> ReplicaCapacity:
    """Returns what a replica is planned to serve.

    Args:
        settings: Of the model.
        load: Its traffic.
    """
    model, engine = settings.model, settings.engine
    measured = settings.engine.measured_output_tokens_per_second
    return replica_capacity(
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


def target_conflicts(settings: Settings, capacity: ReplicaCapacity) -> Iterator[Conflict]:
    """Refuses to aim at more requests in flight than run at once: the rest would wait forever."""
    target, held = settings.replicas.target_requests, capacity.concurrent_requests
    if settings.replicas.autoscaling and target > held:
        yield Conflict(
            "replicas.targetRequests",
            f"{target}, but a replica's memory holds {held} requests of this length",
            f"Allowed: 1 to {held}; a higher engine.tensorParallel or a larger pool.gpu holds more",
        )


def _concurrency(settings: Settings) -> int:
    """Returns the requests in flight at which a replica counts as full."""
    if settings.replicas.autoscaling:
        return settings.replicas.target_requests
    return VLLM_LARGEST_BATCH


def _load(settings: Settings) -> tuple[Load, list[Conflict]]:
    traffic = settings.traffic
    conflicts = []
    shape, source = published_shape()
    if traffic.shape == "flat":
        shape, source = flat_shape(), FLAT
    elif traffic.shape != "published":
        path = TRAFFIC / traffic.shape
        try:
            shape, source = read_shape(path), f"stacks/traffic/{traffic.shape}"
        except ValueError as error:
            found = f"{traffic.shape}, {error}"
            conflicts.append(Conflict("traffic.shape", found, "Fix the file"))
    if settings.replicas.schedule and len(shape) % HOURS_A_WEEK:
        conflicts.append(
            Conflict(
                "traffic.shape",
                f"{traffic.shape} has {len(shape)} hours, with replicas.schedule",
                f"Allowed: whole weeks of {HOURS_A_WEEK} hours from Monday 0:00",
                ("replicas.schedule",),
            )
        )
    load = Load(
        tokens_per_day=traffic.tokens_per_day,
        input_tokens=traffic.input_tokens,
        output_tokens=traffic.output_tokens,
        cached_input_share=traffic.cached_input_percent / 100,
        shape=shape,
        shape_source=source,
        burst_factor=float(traffic.burst_factor),
    )
    return load, conflicts


def _api(
    key: str, reference: str, request: Request, today: date, terms: ApiTerms | None
) -> ApiPrice | Conflict:
    try:
        return compared_price(reference, request, today, _contract(terms))
    except UnknownApiModelError as error:
        near = f"Closest: {', '.join(error.near)}" if error.near else "See the list of genai-prices"
        return Conflict(key, f'no price is known for "{reference}"', near, price=True)


def _unused_terms(settings: Settings, named: Sequence[str]) -> Iterator[Conflict]:
    for reference in settings.api.terms:
        if reference not in named:
            near = ", ".join(near_names(reference, named)) or ", ".join(named)
            yield Conflict(
                f"api.terms.{reference}",
                "neither api.inUse nor an offer of the same model",
                f"Allowed: a name in api.inUse or api.hosted; closest: {near}",
                ("api.inUse", "api.hosted"),
            )


def _contract(terms: ApiTerms | None) -> ContractPrice | None:
    if terms is None or terms.input is None or terms.output is None:
        return None
    cached = terms.input if terms.cached_input is None else terms.cached_input
    return ContractPrice(input=terms.input, cached_input=cached, output=terms.output)
