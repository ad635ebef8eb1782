"""From settings to the assumptions of an estimate, and the checks that need prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from components.config_reader import ConfigReader
from components.cost.api_prices import ApiPrice, UnknownApiModelError, api_price, token_rates
from components.cost.assumptions import Assumptions, ClusterShare
from components.cost.calendar import CALENDAR_MONTH, THIRTY_DAYS
from components.cost.capacity import replica_capacity
from components.cost.load import Load, flat_shape, published_shape, read_shape
from components.cost.node_cost import NodeCost, OwnedNode, RentedNode
from components.cost.people import People
from components.cost.price import Price, PriceMissingError, committed
from components.cost.price_book import PriceBook
from components.cost.report import Report, rate
from components.cost.week.nodes_paid import follow
from components.fleet import (
    HOURS_A_WEEK,
    VLLM_LARGEST_BATCH,
    configuration_of,
    interruptions_of,
)
from components.gateway.prices import TokenPrices
from components.project import ROOT
from components.serving.rollout import rollout_of
from components.settings_types import Settings

ENGINE_IMAGE_GIGABYTES = 10
"""Compressed layers of vLLM's CUDA image, which a new node pulls: an estimate."""


def assumptions_of(
    stack: str, settings: Settings, reader: ConfigReader, today: date
) -> Assumptions:
    """Gathers what an estimate rests on.

    Args:
        stack: Name of the stack.
        settings: Its settings.
        reader: Holds the mistakes found so far; takes every price that is missing or stale and
            every API that is not known.
        today: Day on which prices are looked up.

    Raises:
        SettingsError: Something was rejected, here or before; all of it is named.
    """
    book = _book(settings, reader, stack, today)
    node = _node(settings, reader, book)
    _check_system_nodes(settings, reader, book)
    load = _load(settings, reader)
    api_in_use = _api("apiInUse", settings.traffic.api_in_use, load, reader, today)
    hosted = _hosted(settings, load, reader, today)
    reader.raise_problems(stack)
    if node is None or api_in_use is None:
        msg = "a price is missing, but nothing was rejected"
        raise AssertionError(msg)
    model, engine = settings.model, settings.engine
    measured = settings.traffic.measured_output_tokens_per_second
    capacity = replica_capacity(
        model.facts,
        precision=model.precision,
        gpu=settings.pool.gpu,
        tensor_parallel=engine.tensor_parallel,
        pipeline_parallel=engine.pipeline_parallel,
        adapter_bytes=model.adapter_bytes,
        gpu_memory_utilization=float(engine.gpu_memory_utilization),
        max_model_length=model.max_model_length,
        input_tokens=load.input_tokens,
        output_tokens=load.output_tokens,
        cached_input_share=load.cached_input_share,
        concurrency_limit=_concurrency(settings),
        measured_output_tokens_per_second=None if measured is None else float(measured),
    )
    _check_target(settings, reader, capacity.concurrent_requests)
    reader.raise_problems(stack)
    configuration = configuration_of(settings, load, capacity, interruptions_of(settings))
    followed = follow(load.requests_per_second(), load.burst_factor, configuration)
    return Assumptions(
        stack=stack,
        model=(
            f"{model.facts.name} in {model.precision}, {_replicas(settings)} of {_gpus(settings)}"
        ),
        load=load,
        capacity=capacity,
        fleet=replace(configuration.fleet, nodes_paid=followed.nodes_paid),
        simulated=followed.own,
        node=node,
        cluster=_cluster(settings),
        cloud=settings.prices.cloud,
        region=settings.prices.region,
        people=_people(settings),
        api_in_use=api_in_use,
        hosted=hosted,
        budget_per_month=settings.prices.budget_per_month,
        data_may_leave=settings.traffic.data_may_leave,
        book=book,
        calendar=THIRTY_DAYS if settings.prices.month == "30d" else CALENDAR_MONTH,
        notes=_notes(settings),
    )


def _notes(settings: Settings) -> tuple[str, ...]:
    notes = [rollout_of(settings).explanation]
    nodes = settings.engine.pipeline_parallel
    if nodes > 1:
        notes.append(
            f"A replica spans {nodes} nodes, which come and go together: where nodes are counted, "
            f"but for node-hours, {nodes} count as one."
        )
    if settings.model.adapters:
        notes.append(
            "Memory of the LoRA adapters is in the capacity; the work that they add is not: a "
            "measurement of your own (measuredOutputTokensPerSecond) has it."
        )
    if settings.replicas.schedule:
        notes.append(
            "The schedule's hours are in the nodes of the estimate, as if the traffic's first hour "
            f"were Monday 0:00 {settings.replicas.schedule_time_zone}; break-even leaves them out."
        )
    capacity_types = settings.pool.capacity_types
    if settings.pool.kind != "existing" and capacity_types[:1] == ("reserved",):
        notes.append(
            "Nodes are priced as reserved for the hours that they run; a reservation is paid for "
            "all hours, so keep minReplicas at what is reserved."
        )
    elif settings.pool.kind != "existing" and len(capacity_types) > 1:
        notes.append(
            f"Nodes are priced as {capacity_types[0]}; what is not to be had is tried as "
            f"{', then '.join(capacity_types[1:])}, at that price."
        )
    return tuple(notes)


def token_prices(report: Report) -> TokenPrices:
    """Returns what a token costs here, as the report shows it, and by the API in use."""
    load, api = report.assumptions.load, report.assumptions.api_in_use
    today = report.assumptions.book.today
    rates = token_rates(
        api.reference,
        input_tokens=load.input_tokens,
        output_tokens=load.output_tokens,
        on=datetime(today.year, today.month, today.day, tzinfo=UTC),
    )
    return TokenPrices(
        own=Decimal(rate(report.usd_per_million_own_tokens)),
        api_input=rates.input,
        api_cached_input=rates.cached_input,
        api_output=rates.output,
    )


def _book(settings: Settings, reader: ConfigReader, stack: str, today: date) -> PriceBook:
    prices = settings.prices
    try:
        return PriceBook.load(prices.overrides, private=prices.private_overrides, today=today)
    except ValueError as error:
        reader.reject(
            "priceOverrides", str(error), "`breakeven prices list` shows the book's identifiers"
        )
        reader.raise_problems(stack)
        raise


def _replicas(settings: Settings) -> str:
    replicas = settings.replicas
    if replicas.lowest != replicas.highest:
        return f"{replicas.lowest} to {replicas.highest} replicas"
    return "1 replica" if replicas.highest == 1 else f"{replicas.highest} replicas"


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


def _node(settings: Settings, reader: ConfigReader, book: PriceBook) -> NodeCost | None:
    prices = settings.prices
    if prices.owned_node is not None:
        return _owned(settings)
    if prices.node_pricing == "stated":
        if prices.stated_node_price is None:
            return None
        stated = Price(
            identifier="nodePricePerHour",
            usd=prices.stated_node_price,
            unit="node-hour",
            source="stack setting nodePricePerHour",
            as_of=book.today,
            confidence="user",
        )
        return RentedNode(stated, f"nodes of {settings.pool.gpus_per_node} at a stated price")
    return _listed(settings, reader, book)


def _listed(settings: Settings, reader: ConfigReader, book: PriceBook) -> RentedNode | None:
    """Takes the cheapest of the machine types, for the first capacity type of the chain."""
    prices, pool = settings.prices, settings.pool
    if not reader.usable("instanceTypes", "capacityTypes", "cloud", "region", "gpu", "gpusPerNode"):
        return None
    if not pool.instance_types:
        reader.reject(
            "instanceTypes",
            "empty",
            "Needed with nodePricing list: the machine type of the nodes; or set nodePricing to "
            "stated or owned",
        )
        return None
    capacity_type = pool.capacity_types[0] if pool.kind != "existing" else "on-demand"
    offers: list[RentedNode] = []
    missing: list[PriceMissingError] = []
    for instance_type in pool.instance_types:
        _check_shape(instance_type, settings, reader, book)
        try:
            price = book.node(prices.cloud, prices.region, instance_type, capacity_type)
        except PriceMissingError as error:
            missing.append(error)
        else:
            offers.append(RentedNode(price, f"{instance_type}, {capacity_type}"))
    if missing:
        near = ", ".join(dict.fromkeys(name for error in missing for name in error.near))
        reader.reject(
            "instanceTypes",
            f"no price {', '.join(error.identifier for error in missing)}",
            "State it in priceOverrides, or set nodePricing to stated"
            + (f"; closest in the book: {near}" if near else ""),
            price=True,
        )
    _check_age([offer.price for offer in offers], settings, reader, book)
    cheapest = min(offers, key=lambda offer: offer.price.usd, default=None)
    if cheapest is None or not prices.commitment_percent:
        return cheapest
    percent, years = prices.commitment_percent, prices.commitment_years
    price = committed(cheapest.price, Decimal(percent), years)
    term = "1 year" if years == 1 else f"{years} years"
    return RentedNode(price, f"{cheapest.description}, {percent}% off for {term}")


def _check_age(
    offers: Sequence[Price], settings: Settings, reader: ConfigReader, book: PriceBook
) -> None:
    limit = settings.prices.max_age_days
    stale = [price for price in offers if book.is_stale(price, limit)]
    if stale:
        shown = ", ".join(f"{price.identifier} of {price.as_of.isoformat()}" for price in stale)
        reader.reject(
            "priceMaxAgeDays",
            f"{limit} days, but the book's price is {shown}",
            "State a current price in priceOverrides, or raise priceMaxAgeDays",
            price=True,
        )


def _check_shape(
    instance_type: str, settings: Settings, reader: ConfigReader, book: PriceBook
) -> None:
    pool = settings.pool
    try:
        shape = book.shape(settings.prices.cloud, instance_type)
    except LookupError:
        return  # a machine type that the book does not know can still be priced by an override
    if shape.gpu != pool.gpu.name or shape.gpus != pool.gpus_per_node:
        reader.reject(
            "instanceTypes",
            f"{instance_type} has {shape.gpus} x {shape.gpu or 'no GPU'}",
            f"Allowed: machine types with gpusPerNode {pool.gpus_per_node} x {pool.gpu.name}, so "
            "that whole replicas fill a node",
        )


def _check_system_nodes(settings: Settings, reader: ConfigReader, book: PriceBook) -> None:
    prices = settings.prices
    if not prices.system_node_count or not reader.usable(
        "systemInstanceType", "systemNodeCount", "cloud", "region"
    ):
        return
    try:
        book.node(prices.cloud, prices.region, prices.system_instance_type, "on-demand")
    except PriceMissingError as missing:
        reader.reject(
            "systemInstanceType",
            f"no price {missing.identifier}",
            "State one in priceOverrides, or set systemNodeCount to 0 if others pay for them",
            price=True,
        )


def _owned(settings: Settings) -> OwnedNode | None:
    node = settings.prices.owned_node
    if node is None:
        return None
    return OwnedNode(
        purchase_price=node.purchase_price,
        amortisation_years=node.amortisation_years,
        residual_share=Decimal(node.residual_percent) / 100,
        power_watts=node.power_watts,
        power_usage_effectiveness=node.power_usage_effectiveness,
        electricity_price_per_kwh=node.electricity_price_per_kwh,
        rack_and_support_per_month=node.rack_and_support_per_month,
        description=f"owned nodes of {settings.pool.gpus_per_node}",
    )


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
    references = settings.traffic.hosted_apis or settings.model.facts.hosted
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


def _cluster(settings: Settings) -> ClusterShare:
    prices = settings.prices
    return ClusterShare(
        control_plane=None if prices.control_plane == "none" else prices.control_plane,
        control_plane_share=Decimal(prices.control_plane_share_percent) / 100,
        system_instance_type=prices.system_instance_type,
        system_nodes=prices.system_node_count,
        nat_gateway_share=Decimal(prices.nat_gateway_share_percent) / 100,
        image_gigabytes=ENGINE_IMAGE_GIGABYTES,
    )


def _people(settings: Settings) -> People:
    people = settings.people
    return People(
        engineer_salary=people.engineer_salary,
        engineer_share=Decimal(people.engineer_percent) / 100,
        on_call_per_month=people.on_call_per_month,
        contingency_share=Decimal(people.contingency_percent) / 100,
    )
