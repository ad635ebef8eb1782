"""A stack whose inputs are varied: the same arithmetic as `estimate`, thousands of times."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

import numpy as np

from breakeven.catalog.apis.prices import ApiPrice
from breakeven.cost.api_cost import api_curve, api_monthly
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.bill import bill_of, unpriced
from breakeven.cost.bill.line_item import NotPriced
from breakeven.cost.bill.node_cost import NodeCost, OwnedNode, RentedNode
from breakeven.cost.bill.pricing import charged
from breakeven.cost.bill.registered import Registered
from breakeven.cost.break_even import Staircase, find_break_even
from breakeven.cost.demand.load import Load
from breakeven.cost.demand.load_duration import LoadDuration
from breakeven.cost.enlarged import enlarged, is_too_small
from breakeven.cost.estimate import LARGEST_NODES
from breakeven.cost.fleet.plan import Fleet, FleetWeek, units_needed
from breakeven.cost.fleet.simulation.enlargement import constant
from breakeven.cost.several_models import with_gateway
from breakeven.money import to_decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """By how much each input differs from what the stack states; 1 for not at all.

    Attributes:
        capacity: On the requests per second of a replica.
        tokens: On the tokens per day.
        node_price: On the hourly price of a node, or on the purchase price of an owned one.
        engineer: On the engineer's share.
        burst: On the burst factor, which never falls below 1.
        api_price: On the price of every API.
    """

    capacity: float = 1.0
    tokens: float = 1.0
    node_price: float = 1.0
    engineer: float = 1.0
    burst: float = 1.0
    api_price: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happens to the stack, at the size that serves all of its traffic. USD per month.

    Attributes:
        total: Self-hosted, fully loaded.
        usd_per_million_tokens: The same over the tokens that the fleet serves.
        by_api: The same traffic by each comparator.
        enlarged: Whether the configured fleet is too small, and `total` is that of a larger one.
    """

    total: Decimal
    usd_per_million_tokens: Decimal
    by_api: tuple[Decimal, ...]
    enlarged: bool

    def saving(self, comparator: int) -> Decimal:
        """Returns what self-hosting saves against a comparator; negative where it costs more."""
        return self.by_api[comparator] - self.total

    def pays(self, comparator: int) -> bool:
        """Tells whether self-hosting serves the load for less."""
        return self.saving(comparator) > 0


class ScenarioModel:
    """A stack, and what it costs if its inputs differ.

    As in the verdict of an estimate, self-hosting means the fleet that serves all of the load: the
    configured one, or a larger one where that is too small.

    Attributes:
        assumptions: Those of the stack as it stands, with the configured fleet.
        comparators: The API in use, and the cheapest offer of the same model if there is one.
        not_priced: Resources without a price, which no total contains.
    """

    def __init__(self, resources: Iterable[Registered], assumptions: Assumptions) -> None:
        self.assumptions = assumptions
        ledger = tuple(resources)
        self.not_priced: tuple[NotPriced, ...] = unpriced(ledger, assumptions)
        self._resources = charged(ledger)
        self.comparators: tuple[ApiPrice, ...] = assumptions.comparators or (
            assumptions.api_in_use,
        )
        self._serving = assumptions
        if is_too_small(assumptions):
            self._serving = enlarged(assumptions)
        self._fewest = self._replicas_needed()
        load = assumptions.load
        # One array for all samples, so that they share one sweep of the week (see `break_even`).
        self._peak_rates_per_token = np.asarray(
            load.requests_per_second() * (load.burst_factor / load.tokens_per_day)
        )

    @cached_property
    def _minutes(self) -> LoadDuration:
        return LoadDuration.of(self.assumptions.load)

    @cached_property
    def _stated_beyond(self) -> float:
        return self._beyond(self.assumptions)

    @property
    def node_price_is_private(self) -> bool:
        """Whether reports leave the price of a node out."""
        node = self.assumptions.node
        return isinstance(node, RentedNode) and node.price.private

    def outcome(self, scenario: Scenario) -> Outcome:
        """Returns what the stack costs in a scenario."""
        assumptions = self.serving(scenario)
        week = self._week(assumptions)
        total = bill_of(self._resources, week, assumptions).total
        served = assumptions.tokens_per_month * (1 - to_decimal(week.unserved_share))
        price = to_decimal(scenario.api_price)
        return Outcome(
            total=total,
            usd_per_million_tokens=total / served * 10**6,
            by_api=tuple(api_monthly(api, assumptions) * price for api in self.comparators),
            enlarged=assumptions.fleet.lowest > self.assumptions.fleet.lowest
            or assumptions.fleet.highest > self.assumptions.fleet.highest,
        )

    def break_even(self, scenario: Scenario) -> tuple[float, ...]:
        """Returns the lowest tokens per day at which self-hosting costs less than each comparator.

        Infinity means never within the nodes that `estimate` tries.
        """
        assumptions = self.apply(scenario)
        staircase = self._staircase(assumptions)
        found = []
        for api in self.comparators:
            curve = api_curve(api, assumptions).times(scenario.api_price)
            result = find_break_even(staircase, curve, LARGEST_NODES)
            found.append(math.inf if result.never else result.cheaper[0].from_tokens_per_day)
        return tuple(found)

    def apply(self, scenario: Scenario) -> Assumptions:
        """Returns the stack's assumptions in a scenario; comparators are priced apart."""
        base = self.assumptions
        capacity, load, staffing = base.capacity, base.load, base.staffing
        return replace(
            base,
            capacity=replace(
                capacity, requests_per_second=capacity.requests_per_second * scenario.capacity
            ),
            load=replace(
                load,
                tokens_per_day=max(1, round(load.tokens_per_day * scenario.tokens)),
                burst_factor=max(1.0, load.burst_factor * scenario.burst),
            ),
            node=_node(base.node, to_decimal(scenario.node_price)),
            staffing=replace(
                staffing, engineer_share=staffing.engineer_share * to_decimal(scenario.engineer)
            ),
            api_in_use=replace(
                base.overflow_price,
                usd_per_million_tokens=base.overflow_price.usd_per_million_tokens
                * to_decimal(scenario.api_price),
            ),
        )

    def serving(self, scenario: Scenario) -> Assumptions:
        """Returns the same with the fleet that serves all of the load."""
        assumptions = self.apply(scenario)
        simulated = self._serving.simulated
        return replace(assumptions, fleet=self._fleet(assumptions), simulated=simulated)

    def overflow_share(self, scenario: Scenario) -> float:
        """Returns the share of requests that a gateway then sends to the API in use, 0 to 1."""
        return self._week(self.apply(scenario)).overflow_share

    def _replicas_needed(self) -> int:
        """Returns the replicas at most that serve the stated load; a fleet may have more."""
        highest = self._serving.fleet.highest
        if self._serving is not self.assumptions:
            return highest
        load = self.assumptions.load
        peak = float(load.requests_per_second().max()) * load.burst_factor
        served = self.assumptions.capacity.requests_per_second
        return min(highest, int(units_needed(peak, served)))

    def _fleet(self, assumptions: Assumptions) -> Fleet:
        """Returns a fleet as large as the load of a scenario takes, and no smaller than configured.

        Its bounds grow in proportion to the peak, so that each keeps the reserve that the fleet of
        the stated load was found to need.
        """
        configured, serving = self.assumptions.fleet, self._serving.fleet
        if assumptions.overflows:
            return serving
        times = self._peak_load(assumptions) / self._peak_load(self.assumptions)
        highest = max(configured.highest, int(units_needed(self._fewest * times, 1)))
        if serving.autoscaling and serving.fixed_nodes is None:
            lowest = configured.lowest
            if serving.lowest > lowest:
                lowest = max(lowest, int(units_needed(serving.lowest * times, 1)))
            return replace(serving, lowest=lowest, highest=max(lowest, highest))
        if highest == configured.highest:
            return configured
        return constant(replace(serving, fixed_nodes=configured.fixed_nodes), highest)

    @staticmethod
    def _peak_load(assumptions: Assumptions) -> float:
        """Returns the tokens per day over what a replica serves, at the peak minute."""
        load: Load = assumptions.load
        return load.tokens_per_day * load.burst_factor / assumptions.capacity.requests_per_second

    def _week(self, assumptions: Assumptions) -> FleetWeek:
        """Plans the week; overflow is the simulated one and what the plan adds to it."""
        week = assumptions.week()
        if not assumptions.overflows:
            return week
        more = self._beyond(assumptions) - self._stated_beyond
        return replace(week, overflow_share=min(max(week.overflow_share + more, 0.0), 1.0))

    def _beyond(self, assumptions: Assumptions) -> float:
        """Returns the share of requests beyond all replicas that the fleet may have."""
        load, stated = assumptions.load, self.assumptions.load
        louder = load.tokens_per_day / stated.tokens_per_day
        louder *= load.burst_factor / stated.burst_factor
        most = assumptions.fleet.highest * assumptions.capacity.requests_per_second
        return 1 - self._minutes.served_share(most / louder)

    def _staircase(self, assumptions: Assumptions) -> Staircase:
        """As in `estimate`; a change of the burst is a change of what a node serves at the peak."""
        # A staircase does not include overflow.
        bill = bill_of(self._resources, assumptions.week(), assumptions)
        burst = self.assumptions.load.burst_factor / assumptions.load.burst_factor
        staircase = with_gateway(
            bill.staircase(
                assumptions.load, assumptions.fleet, assumptions.capacity.requests_per_second
            ),
            bill,
            assumptions,
        )
        return replace(
            staircase,
            peak_rates_per_token=self._peak_rates_per_token,
            requests_per_second_per_node=staircase.requests_per_second_per_node * burst,
        )


def _node(node: NodeCost, factor: Decimal) -> NodeCost:
    if isinstance(node, OwnedNode):
        return replace(node, purchase_price=node.purchase_price * factor)
    return replace(node, price=replace(node.price, usd=node.price.usd * factor))
