"""A stack whose inputs are varied: the same arithmetic as `estimate`, thousands of times."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from components.cost.api_prices import ApiPrice
from components.cost.assumptions import Assumptions
from components.cost.bill import api_monthly, bill_of, charged
from components.cost.break_even import Staircase, find_break_even
from components.cost.estimate import LARGEST_NODES
from components.cost.node_cost import NodeCost, OwnedNode, RentedNode
from components.cost.quantities import Registered

_LARGEST_UNSERVED = 0.001  # as in `verdict`: less counts as noise, not as a fleet too small


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """By how much each input differs from what the stack states; 1 for not at all.

    Attributes:
        capacity: On the requests a second of a replica.
        tokens: On the tokens a day.
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
    """What becomes of the stack. Money in USD a month.

    Attributes:
        total: Self-hosted, everything counted.
        usd_per_million_tokens: The same over the tokens that the fleet serves.
        by_api: The same traffic by each comparator.
        serves: Whether the configured fleet serves the load.
    """

    total: Decimal
    usd_per_million_tokens: Decimal
    by_api: tuple[Decimal, ...]
    serves: bool

    def saving(self, comparator: int) -> Decimal:
        """Returns what self-hosting saves against a comparator; negative where it costs more."""
        return self.by_api[comparator] - self.total

    def pays(self, comparator: int) -> bool:
        """Tells whether self-hosting serves the load for less."""
        return self.serves and self.saving(comparator) > 0


class VariedStack:
    """A stack, and what it costs if its inputs differ.

    Attributes:
        assumptions: Those of the stack as it stands.
        comparators: The API in use, and the cheapest offer of the same model if there is one.
        not_priced: Names of resources without a price, which no total contains.
    """

    def __init__(self, resources: Iterable[Registered], assumptions: Assumptions) -> None:
        self.assumptions = assumptions
        self._resources, self.not_priced = charged(resources, assumptions)
        hosted = sorted(assumptions.hosted, key=lambda price: price.usd_per_request)
        self.comparators: tuple[ApiPrice, ...] = (assumptions.api_in_use, *hosted[:1])
        load = assumptions.load
        # One array for all samples, so that they share one sweep of the week (see `break_even`).
        self._peak_rates_per_token = np.asarray(
            load.requests_per_second() * (load.burst_factor / load.tokens_per_day)
        )

    def outcome(self, factors: Factors) -> Outcome:
        """Returns what the stack costs with these factors."""
        assumptions = self.varied(factors)
        week = assumptions.planned_week(assumptions.capacity.requests_per_second)
        total = bill_of(self._resources, week, assumptions).total
        tokens = Decimal(assumptions.load.tokens_per_day) * assumptions.calendar.days_per_month
        served = tokens * (1 - Decimal(repr(week.unserved_share)))
        price = Decimal(repr(factors.api_price))
        return Outcome(
            total=total,
            usd_per_million_tokens=total / served * 10**6,
            by_api=tuple(api_monthly(api, assumptions) * price for api in self.comparators),
            serves=week.unserved_share <= _LARGEST_UNSERVED,
        )

    def break_even(self, factors: Factors) -> tuple[float, ...]:
        """Returns the lowest tokens a day at which self-hosting costs less than each comparator.

        Infinity means never within the nodes that `estimate` tries.
        """
        assumptions = self.varied(factors)
        staircase = self._staircase(assumptions)
        price = Decimal(repr(factors.api_price))
        found = []
        for api in self.comparators:
            per_token = api_monthly(api, assumptions) * price / assumptions.load.tokens_per_day
            result = find_break_even(staircase, per_token, LARGEST_NODES)
            found.append(math.inf if result.never else result.cheaper[0].from_tokens_per_day)
        return tuple(found)

    def varied(self, factors: Factors) -> Assumptions:
        """Returns the stack's assumptions with these factors; those of the APIs aside."""
        base = self.assumptions
        capacity, load, people = base.capacity, base.load, base.people
        return replace(
            base,
            capacity=replace(
                capacity, requests_per_second=capacity.requests_per_second * factors.capacity
            ),
            load=replace(
                load,
                tokens_per_day=max(1, round(load.tokens_per_day * factors.tokens)),
                burst_factor=max(1.0, load.burst_factor * factors.burst),
            ),
            node=_node(base.node, Decimal(repr(factors.node_price))),
            people=replace(
                people, engineer_share=people.engineer_share * Decimal(repr(factors.engineer))
            ),
        )

    def _staircase(self, assumptions: Assumptions) -> Staircase:
        """As in `estimate`; a change of the burst is a change of what a node serves at the peak."""
        bill = bill_of(
            self._resources,
            assumptions.planned_week(assumptions.capacity.requests_per_second),
            assumptions,
        )
        burst = self.assumptions.load.burst_factor / assumptions.load.burst_factor
        staircase = bill.staircase(
            assumptions.load,
            assumptions.fleet,
            assumptions.capacity.requests_per_second * burst,
        )
        return replace(staircase, peak_rates_per_token=self._peak_rates_per_token)


def _node(node: NodeCost, factor: Decimal) -> NodeCost:
    if isinstance(node, OwnedNode):
        return replace(node, purchase_price=node.purchase_price * factor)
    return RentedNode(replace(node.price, usd=node.price.usd * factor), node.description)
