"""Several models on one pool as one stack: their weeks, their APIs, their costs by volume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from breakeven.catalog.apis.prices import ApiPrice
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.bill import Bill
from breakeven.cost.bill.charge import Driver
from breakeven.cost.break_even import Staircase, Steps
from breakeven.cost.fleet.plan import Fleet, FleetWeek
from breakeven.cost.fleet.simulation.result import SimulatedWeek
from breakeven.cost.gateway import GatewayCurve, gateway_curve

Served = Callable[[Assumptions], float]
"""Returns the requests per second that one replica of a model serves."""


def planned(model: Assumptions) -> float:
    """Returns what the estimate plans with."""
    return model.capacity.requests_per_second


def low(model: Assumptions) -> float:
    """Returns the lower end of its band."""
    return model.capacity.low_requests_per_second


def high(model: Assumptions) -> float:
    """Returns the upper end of its band."""
    return model.capacity.high_requests_per_second


def fleet_week(weeks: Sequence[FleetWeek], assumptions: Assumptions) -> FleetWeek:
    """Returns what all models' replicas do together.

    In a pool of fixed size each model's week is about all of its nodes, and what each of them works
    adds up; else the nodes do, and work is weighed by them. Requests are weighed by their tokens.

    Args:
        weeks: One for each model.
        assumptions: Of the stack.
    """
    if len(weeks) == 1:
        return weeks[0]
    tokens = [model.load.tokens_per_day for model in assumptions.models]
    nodes = [week.mean_nodes for week in weeks]
    busy, mean_nodes = sum(week.busy_share for week in weeks), nodes[0]
    if assumptions.fleet.fixed_nodes is None:
        mean_nodes = sum(nodes)
        worked = sum(week.busy_share * week.mean_nodes for week in weeks)
        busy = worked / mean_nodes if mean_nodes else 0.0
    return FleetWeek(
        mean_nodes=mean_nodes,
        peak_replicas=sum(week.peak_replicas for week in weeks),
        busy_share=min(busy, 1.0),
        unserved_share=_mean([week.unserved_share for week in weeks], tokens),
        overflow_share=_mean([week.overflow_share for week in weeks], tokens),
        node_starts_per_hour=sum(week.node_starts_per_hour for week in weeks),
        replica_starts_per_hour=sum(week.replica_starts_per_hour for week in weeks),
    )


def simulated_week(models: Sequence[Assumptions]) -> SimulatedWeek:
    """Returns the simulated weeks of all models as one; shares of requests weighed by requests.

    Its hours are not added up, because loads may have shapes of different lengths.
    """
    weeks = [model.simulated for model in models]
    if len(weeks) == 1:
        return weeks[0]
    requests = [float(model.load.requests_per_day) for model in models]
    hours = weeks[0].totals.hours

    def added(of: Callable[[SimulatedWeek], float]) -> float:
        return sum(of(week) / week.totals.hours for week in weeks) * hours

    def mean(of: Callable[[SimulatedWeek], float]) -> float:
        return _mean([of(week) for week in weeks], requests)

    totals = replace(
        weeks[0].totals,
        node_hours=added(lambda week: week.totals.node_hours),
        gpu_hours=added(lambda week: week.totals.gpu_hours),
        busy_share=_mean(
            [week.totals.busy_share for week in weeks],
            [week.totals.node_hours / week.totals.hours for week in weeks],
        ),
        mean_replicas=sum(week.totals.mean_replicas for week in weeks),
        peak_replicas=sum(week.totals.peak_replicas for week in weeks),
        replica_starts=round(added(lambda week: week.totals.replica_starts)),
        node_starts=round(added(lambda week: week.totals.node_starts)),
        requests=round(added(lambda week: week.totals.requests)),
        served=round(added(lambda week: week.totals.served)),
        in_flight_at_start=sum(week.totals.in_flight_at_start for week in weeks),
        in_flight_at_end=sum(week.totals.in_flight_at_end for week in weeks),
        mean_queueing_seconds=mean(lambda week: week.totals.mean_queueing_seconds),
        objective_share=mean(lambda week: week.totals.objective_share),
        cold_share=mean(lambda week: week.totals.cold_share),
        overflow_share=mean(lambda week: week.totals.overflow_share),
    )
    return replace(weeks[0], totals=totals, replicas=(), nodes=())


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    total = sum(weights)
    products = (value * weight for value, weight in zip(values, weights, strict=True))
    return sum(products) / total if total else 0.0


def joint_price(prices: Sequence[ApiPrice], assumptions: Assumptions) -> ApiPrice:
    """Returns what a mean request costs where each model's traffic goes to an API of its own.

    Args:
        prices: One for each model.
        assumptions: Of the stack.
    """
    if len(prices) == 1:
        return prices[0]
    loads = [model.load for model in assumptions.models]
    daily = sum(
        (
            price.usd_per_request * load.requests_per_day
            for price, load in zip(prices, loads, strict=True)
        ),
        Decimal(0),
    )
    return ApiPrice(
        reference=" + ".join(dict.fromkeys(price.reference for price in prices)),
        usd_per_request=daily / sum((load.requests_per_day for load in loads), Decimal(0)),
        usd_per_million_tokens=daily / assumptions.tokens_per_day * 10**6,
        source="; ".join(dict.fromkeys(price.source for price in prices)),
        as_of=min(price.as_of for price in prices),
        findings=tuple(dict.fromkeys(each for price in prices for each in price.findings)),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """One model in a joint staircase.

    Attributes:
        staircase: Its own; of nodes, or of replicas where models share the nodes of a fixed pool.
        tokens_share: Its tokens over those of all models.
        gpus: Of a replica.
    """

    staircase: Staircase
    tokens_share: float
    gpus: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JointStaircase:
    """The cost of all models by the tokens of all, which keep the proportion of the plan.

    Attributes:
        parts: The models.
        fixed_nodes: Nodes of a pool of fixed size, which the models share; else None.
        gpus_per_node: GPUs of a node.
        fixed_monthly: USD per month that does not depend on volume.
        node_monthly: USD per month for one node.
        token_monthly: USD per month for one token a day, beside that of the parts.
        gateway: How the pods of a gateway follow the volume; None if nothing is paid for them.
        gateway_pod_monthly: USD per month for one of them in each set.
    """

    parts: tuple[Part, ...]
    fixed_nodes: int | None
    gpus_per_node: int
    fixed_monthly: Decimal
    node_monthly: Decimal
    token_monthly: Decimal
    gateway: GatewayCurve | None = None
    gateway_pod_monthly: Decimal = Decimal(0)

    @property
    def lowest_nodes(self) -> int:
        """Nodes that run at any volume."""
        if self.fixed_nodes is not None:
            return self.fixed_nodes
        return sum(part.staircase.lowest_nodes for part in self.parts)

    def steps(self, largest_nodes: int) -> Steps:
        """Returns the steps in rising order, up to `largest_nodes`, `lowest_nodes` or more."""
        shared = self.fixed_nodes is not None
        steps = [
            part.staircase.steps(
                largest_nodes * self.gpus_per_node // part.gpus if shared else largest_nodes
            )
            for part in self.parts
        ]
        volumes = [
            one.to_tokens_per_day / part.tokens_share
            for one, part in zip(steps, self.parts, strict=True)
        ]
        ends = np.unique(np.concatenate(volumes))
        ends = ends[ends <= min(each[-1] for each in volumes)]
        at = [np.searchsorted(each, ends) for each in volumes]
        monthly = np.sum([one.monthly[place] for one, place in zip(steps, at, strict=True)], axis=0)
        if shared:
            gpus = np.sum(
                [
                    part.gpus * one.peak_nodes[place]
                    for part, one, place in zip(self.parts, steps, at, strict=True)
                ],
                axis=0,
            )
            peak = np.maximum(
                np.ceil(gpus / self.gpus_per_node).astype(np.int64), self.lowest_nodes
            )
            monthly = monthly + float(self.node_monthly) * peak
        else:
            peak = np.sum(
                [one.peak_nodes[place] for one, place in zip(steps, at, strict=True)], axis=0
            )
        tokens = sum(
            one.token_monthly * part.tokens_share
            for one, part in zip(steps, self.parts, strict=True)
        )
        if self.gateway is not None:
            monthly = monthly + float(self.gateway_pod_monthly) * self.gateway.at(ends)
        kept: NDArray[np.bool_] = peak <= largest_nodes
        return Steps(
            to_tokens_per_day=ends[kept],
            monthly=(float(self.fixed_monthly) + monthly)[kept],
            token_monthly=float(self.token_monthly) + tokens,
            peak_nodes=peak[kept],
        )


AnyStaircase = TypeVar("AnyStaircase", Staircase, JointStaircase)


def staircase_of(
    bill: Bill, assumptions: Assumptions, served: Served
) -> Staircase | JointStaircase:
    """Returns what a stack costs by the tokens of all its models.

    Args:
        bill: Of the stack.
        assumptions: Of the stack.
        served: What a replica serves.
    """
    models, fleet = assumptions.models, assumptions.fleet
    if len(models) == 1:
        return with_gateway(
            bill.staircase(assumptions.load, fleet, served(assumptions)), bill, assumptions
        )
    shared = fleet.fixed_nodes is not None
    of_models = bill.without_fixed_costs()
    if shared:
        of_models = replace(of_models, nodes_monthly=Decimal(0))
    joint = JointStaircase(
        parts=tuple(
            Part(
                of_models.staircase(
                    model.load,
                    _replicas_as_nodes(model.fleet) if shared else model.fleet,
                    served(model),
                    model.model_name,
                ),
                model.load.tokens_per_day / assumptions.tokens_per_day,
                model.fleet.gpus_per_node // model.fleet.replicas_per_node,
            )
            for model in models
        ),
        fixed_nodes=fleet.fixed_nodes,
        gpus_per_node=fleet.gpus_per_node,
        fixed_monthly=bill.fixed_monthly,
        node_monthly=bill.node_monthly,
        token_monthly=bill.usd_for_each(Driver.TOKENS),
    )
    return with_gateway(joint, bill, assumptions)


def with_gateway(staircase: AnyStaircase, bill: Bill, assumptions: Assumptions) -> AnyStaircase:
    """Adds the pods of a gateway that come with the load.

    Args:
        staircase: Without them.
        bill: Of the stack.
        assumptions: Of the stack.
    """
    pods, each = assumptions.cluster.gateway, bill.usd_for_each(Driver.GATEWAY_PODS)
    if pods is None or not each:
        return staircase
    curve = gateway_curve(pods, [model.load for model in assumptions.models])
    return replace(staircase, gateway=curve, gateway_pod_monthly=each * pods.sets)


def _replicas_as_nodes(fleet: Fleet) -> Fleet:
    """Returns a fleet whose nodes are its replicas, for models that share the nodes of a pool."""
    per_node, curve = fleet.replicas_per_node, fleet.curve_by_volume
    planned = tuple(nodes * per_node for nodes in curve.planned)
    return replace(
        fleet,
        replicas_per_node=1,
        gpus_per_node=fleet.gpus_per_node // per_node,
        fixed_nodes=1,
        curve_by_volume=replace(curve, planned=planned),
    )
