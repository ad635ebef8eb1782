"""From settings to the assumptions of an estimate, and the checks that need prices."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from breakeven.catalog.apis import token_price_file
from breakeven.catalog.price import Price, PriceMissingError, committed
from breakeven.catalog.price_book import PriceBook
from breakeven.catalog.price_rows import PriceFileError
from breakeven.cost.assumptions import Assumptions, ClusterShare
from breakeven.cost.bill.node_cost import NodeCost, RentedNode
from breakeven.cost.bill.staffing import Staffing
from breakeven.cost.calendar import CALENDAR_MONTH, THIRTY_DAYS
from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.currency import US_DOLLAR, Currency
from breakeven.cost.fleet.simulation.curves import SimulateFleet, simulate_fleet
from breakeven.cost.objective import AvailabilityObjective
from breakeven.cost.outlook import Outlook
from breakeven.errors import PriceBookError, Problem
from breakeven.planning.checks import serving_conflicts
from breakeven.planning.demand import ModelDemand, capacity_of, demand_of, target_conflicts
from breakeven.planning.fleet import configuration_of, engine_of, interruptions_of
from breakeven.planning.gateway import gateway_pods_of, hybrid_gateway, kept_inside
from breakeven.planning.notes import notes_of
from breakeven.planning.objectives import (
    disaggregation_notes,
    engine_notes,
    objective_notes,
    prefix_notes,
)
from breakeven.planning.own_evaluation import evaluation_conflicts, evaluation_notes, quality_of
from breakeven.planning.own_measurement import measurement_notes, record_conflicts
from breakeven.planning.owned_nodes import owned_node
from breakeven.planning.price_checks import (
    OF_NODES,
    missing_prices,
    stale_prices,
    system_node_prices,
    wrong_shapes,
)
from breakeven.planning.price_overrides import unused_overrides
from breakeven.planning.rollouts.share import at_its_share
from breakeven.planning.techniques import offload_conflicts
from breakeven.settings.fields import Conflict
from breakeven.settings.files import PRICES
from breakeven.settings.parse import told
from breakeven.settings.rollouts.trial import of_candidate
from breakeven.settings.stack import Settings, Stack

ENGINE_IMAGE_GIGABYTES = 10
"""Compressed layers of vLLM's CUDA image, which a new node pulls: an estimate."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an estimate rests on, checked and not yet gathered.

    Attributes:
        problems: Every mistake found; where there is one, nothing can be gathered.
        gather_by: Gathers the assumptions with what simulates a fleet, `simulate_fleet` in an
            estimate; it takes longer than the checks.
    """

    problems: tuple[Problem, ...]
    gather_by: Callable[[SimulateFleet], Assumptions]

    def gather(self) -> Assumptions:
        """Gathers the assumptions of an estimate."""
        return self.gather_by(simulate_fleet)


def inputs_of(name: str, stack: Stack, problems: tuple[Problem, ...], today: date) -> Inputs:
    """Checks all that an estimate rests on.

    Args:
        name: Name of the stack.
        stack: The stack.
        problems: The mistakes found so far.
        today: Day on which prices are looked up.

    Raises:
        ClockError: By the machine's clock a price is of a day to come.
        PriceBookError: The price book is damaged.
    """
    for model in stack.models:
        problems = told(problems, model, serving_conflicts(model))
    book, conflicts = _book(stack, today)
    problems = told(problems, stack, conflicts)
    for model in stack.models:
        problems = told(problems, model, offload_conflicts(model, book))
    node, conflicts = _node(stack, book)
    problems = told(problems, stack, [*conflicts, *system_node_prices(stack, book)])
    problems = told(problems, stack, stale_prices(stack, book))
    problems = told(problems, stack, [*record_conflicts(), *evaluation_conflicts()])
    demands = []
    for model in stack.models:
        demand, conflicts = demand_of(model, today)
        problems = told(problems, model, conflicts)
        if demand is not None:
            demands.append(demand)
    problems = problems or _candidate_problems(name, stack, today)
    if problems or node is None:
        return Inputs(problems, _nothing)
    capacities = []
    for model, demand in zip(stack.models, demands, strict=True):
        capacity = capacity_of(model, demand.load)
        problems = told(problems, model, target_conflicts(model, capacity))
        capacities.append(capacity)
    rented = node

    def gather(simulate: SimulateFleet) -> Assumptions:
        shared = _Shared(name, rented, book, simulate)
        first, *others = (
            _model(shared, model, demand=demand, capacity=capacity)
            for model, demand, capacity in zip(stack.models, demands, capacities, strict=True)
        )
        return replace(first, others=tuple(others), kept_inside=kept_inside(stack))

    return Inputs(problems, _nothing if problems else gather)


def _candidate_problems(name: str, stack: Stack, today: date) -> tuple[Problem, ...]:
    """Returns why a candidate cannot be served or priced, with the keys to change."""
    for model in stack.models:
        if model.tried is None:
            continue
        for other in (model.tried.promoted, at_its_share(model.tried)):
            found = inputs_of(name, other, (), today).problems
            if found:
                return of_candidate(found, model)
    return ()


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all models of a stack share."""

    stack: str
    node: NodeCost
    book: PriceBook
    simulate: SimulateFleet


def _nothing(_: SimulateFleet) -> Assumptions:
    msg = "a setting is invalid, but no error was raised"
    raise AssertionError(msg)


def _model(
    shared: _Shared, settings: Settings, *, demand: ModelDemand, capacity: ReplicaCapacity
) -> Assumptions:
    configuration = configuration_of(settings, demand.load, capacity, interruptions_of(settings))
    followed = shared.simulate(
        demand.load.requests_per_second(),
        demand.load.burst_factor,
        configuration,
        capacity.low_requests_per_second / capacity.requests_per_second,
    )
    return Assumptions(
        stack=shared.stack,
        engine=engine_of(settings),
        load=demand.load,
        capacity=capacity,
        fleet=replace(
            configuration.fleet,
            curve=followed.curve,
            curve_by_volume=followed.curve_by_volume,
        ),
        simulated=followed.own,
        serving=followed.serving,
        if_slower=followed.if_slower,
        node=shared.node,
        cluster=_cluster(settings),
        cloud=settings.pricing.cloud,
        region=settings.pricing.region,
        staffing=_staffing(settings),
        api_in_use=demand.apis.in_use,
        hosted=demand.apis.hosted,
        escalation=demand.apis.escalation,
        budget_per_month=settings.pricing.budget_per_month,
        data_may_leave=settings.network.data_may_leave,
        outlook=_outlook(settings),
        currency=_currency(settings),
        availability=_availability(settings),
        quality=quality_of(settings),
        hybrid_gateway=hybrid_gateway(settings),
        book=shared.book,
        calendar=THIRTY_DAYS if settings.pricing.month == "30d" else CALENDAR_MONTH,
        overflows=settings.overflow_api is not None,
        notes=(
            *objective_notes(settings, demand.load, capacity),
            *disaggregation_notes(settings, demand.load),
            *engine_notes(settings, capacity),
            *prefix_notes(settings, demand.load, capacity),
            *measurement_notes(settings, demand.load),
            *evaluation_notes(settings),
            *notes_of(settings),
            *unused_overrides(settings, shared.book.today),
        ),
        instance=settings.name,
        candidate="" if settings.tried is None else settings.tried.settings.name,
    )


def _book(stack: Stack, today: date) -> tuple[PriceBook, list[Conflict]]:
    pricing = stack.pricing
    try:
        token_price_file.use(PRICES)
        book = PriceBook.load(
            pricing.stated_prices,
            private=pricing.private_overrides,
            today=today,
            region=pricing.region,
            own=PRICES,
        )
    except (PriceFileError, token_price_file.TokenPriceFileError) as error:
        raise PriceBookError(error, error.path or PRICES) from None
    except ValueError as error:
        shown = "`breakeven prices list` shows the book's identifiers"
        book = PriceBook.load(today=today, region=pricing.region, own=PRICES)
        return book, [Conflict("pricing.overrides", str(error), shown)]
    return book, []


def _node(stack: Stack, book: PriceBook) -> tuple[NodeCost | None, list[Conflict]]:
    pricing = stack.pricing
    if pricing.nodes == "owned":
        return owned_node(stack, book.today), []
    if pricing.nodes == "stated":
        if pricing.node_price_per_hour is None:
            return None, []
        stated = Price(
            identifier="pricing.nodePricePerHour",
            usd=pricing.node_price_per_hour,
            unit="node-hour",
            source="",
            as_of=book.today,
            confidence="user",
        )
        return RentedNode(stated, stack.pool.gpus_per_node), []
    return _listed(stack, book)


def _listed(stack: Stack, book: PriceBook) -> tuple[RentedNode | None, list[Conflict]]:
    """Takes the cheapest of the machine types, for the first capacity type of the chain."""
    pricing, pool = stack.pricing, stack.pool
    if not pool.instance_types:
        empty = Conflict(
            "pool.instanceTypes",
            "empty",
            "Needed with pricing.nodes list: the machine type of the nodes; or set pricing.nodes "
            "to stated or owned",
            OF_NODES,
        )
        return None, [empty]
    capacity_type = pool.first_purchase
    offers: list[RentedNode] = []
    missing: list[PriceMissingError] = []
    for instance_type in pool.instance_types:
        try:
            price = book.node(pricing.cloud, pricing.region, instance_type, capacity_type)
        except PriceMissingError as error:
            missing.append(error)
        else:
            offers.append(RentedNode(price, pool.gpus_per_node, instance_type, capacity_type))
    conflicts = [*wrong_shapes(stack, book), *missing_prices(stack, book, missing)]
    cheapest = min(offers, key=lambda offer: offer.price.usd, default=None)
    if cheapest is None or not pricing.commitment_percent:
        return cheapest, conflicts
    percent, years = pricing.commitment_percent, pricing.commitment_years
    if pool.can_grow and any(model.replicas.autoscaling for model in stack.models):
        node = replace(
            cheapest, commitment_percent=percent, commitment_years=years, commits_base=True
        )
        return node, conflicts
    price = committed(cheapest.price, Decimal(percent), years)
    node = replace(cheapest, price=price, commitment_percent=percent, commitment_years=years)
    return node, conflicts


def _outlook(settings: Settings) -> Outlook:
    pricing = settings.pricing
    return Outlook(
        one_off=pricing.one_off_cost,
        years=pricing.horizon_years,
        api_change=pricing.api_price_change_percent / 100,
        residual=pricing.residual_value,
    )


def _availability(settings: Settings) -> AvailabilityObjective | None:
    replicas = settings.replicas
    if replicas.availability_percent is None:
        return None
    return AvailabilityObjective(
        target=float(replicas.availability_percent) / 100,
        gpu_failures_per_year=float(replicas.gpu_failures_per_year),
        repair_hours=float(replicas.repair_hours),
        interruptions_per_year=interruptions_of(settings) * 12,
    )


def _currency(settings: Settings) -> Currency:
    stated = settings.pricing.currency
    if stated.rate is None:
        return US_DOLLAR
    return Currency(stated.code, stated.rate, stated.as_of)


def _cluster(settings: Settings) -> ClusterShare:
    pricing = settings.pricing
    return ClusterShare(
        control_plane=None if pricing.control_plane == "none" else pricing.control_plane,
        control_plane_share=Decimal(pricing.control_plane_share_percent) / 100,
        system_instance_type=pricing.system_instance_type,
        system_nodes=pricing.system_node_count,
        nat_gateway_share=Decimal(pricing.nat_gateway_share_percent) / 100,
        image_gigabytes=_image_gigabytes(settings),
        weights_class="" if settings.weights.image is not None else settings.weights.storage_class,
        weights_gigabytes=weights_gigabytes(settings),
        log_gigabytes=pricing.log_gigabytes_per_month,
        gateway=gateway_pods_of(settings),
    )


def weights_gigabytes(settings: Settings) -> Decimal:
    """Returns what a replica that starts reads of the weights, in GB of 10^9 bytes."""
    return Decimal(settings.model.repository_bytes) / 10**9


def _image_gigabytes(settings: Settings) -> int:
    if settings.weights.image is None:
        return ENGINE_IMAGE_GIGABYTES
    return ENGINE_IMAGE_GIGABYTES + math.ceil(settings.model.repository_bytes / 10**9)


def _staffing(settings: Settings) -> Staffing:
    staffing = settings.staffing
    return Staffing(
        engineer_salary=staffing.engineer_salary,
        engineer_share=Decimal(staffing.engineer_percent) / 100,
        on_call_per_month=staffing.on_call_per_month,
        contingency_share=Decimal(staffing.contingency_percent) / 100,
    )
