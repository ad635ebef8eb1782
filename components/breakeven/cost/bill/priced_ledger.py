"""One ledger, priced for many weeks: rules are asked and prices looked up once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.activity import Activity
from breakeven.cost.bill.charge import Driver
from breakeven.cost.bill.line_item import monthly_of
from breakeven.cost.bill.pricing import price_infrastructure
from breakeven.cost.bill.registered import Registered
from breakeven.cost.bill.shared_costs import staffing_items
from breakeven.cost.fleet.plan import FleetWeek
from breakeven.money import to_cents, to_decimal

_ALL_BUSY = FleetWeek(mean_nodes=1.0, peak_replicas=1, busy_share=1.0, unserved_share=0.0)
"""A week by which a line of busy nodes is that of a whole node."""


@dataclass(frozen=True, slots=True)
class _Term:
    """A line: what one unit of its driver takes, and the price of that."""

    driver: Driver
    each: Decimal
    unit_price: Decimal


class PricedLedger:
    """What a stack of one model costs in a week, to the cent as `bill_of` says.

    Args:
        resources: The ledger, with a GPU pool.
        assumptions: Prices and everything else. What the fleet does may differ, but not of which
            nodes it is, nor whether their number is fixed.
    """

    def __init__(self, resources: Iterable[Registered], assumptions: Assumptions) -> None:
        found = price_infrastructure(resources, _ALL_BUSY, assumptions)
        lines = [line for line in (*found.lines, *found.dormant) if line.kind != "idle-nodes"]
        self._assumptions = assumptions
        self._contingency_share = assumptions.staffing.contingency_share
        self._same = monthly_of(line for line in lines if line.driver is Driver.NOTHING)
        self._same += monthly_of(staffing_items(assumptions))
        self._busy = [
            _Term(line.driver, line.each, line.unit_price)
            for line in lines
            if line.kind == "busy-nodes"
        ]
        self._terms = [
            _Term(line.driver, line.each, line.unit_price)
            for line in lines
            if line.driver is not Driver.NOTHING and line.kind != "busy-nodes"
        ]

    def total(self, week: FleetWeek) -> Decimal:
        """Returns the fully loaded cost, in USD per month."""
        assumptions = self._assumptions
        activity = Activity(assumptions, week, assumptions.tokens_per_day)
        amounts = {driver: activity.amount_of(driver) for driver in self._drivers}
        busy, nodes = to_decimal(week.busy_share), amounts[Driver.NODES]
        own, by_api = self._same, Decimal(0)
        for term in self._busy:
            for share in (busy, 1 - busy):
                own += to_cents(term.each * share * nodes * term.unit_price)
        for term in self._terms:
            monthly = to_cents(term.each * amounts[term.driver] * term.unit_price)
            if term.driver in _BY_API:
                by_api += monthly
            else:
                own += monthly
        return own + to_cents(own * self._contingency_share) + by_api

    @property
    def _drivers(self) -> set[Driver]:
        return {Driver.NODES, *(term.driver for term in self._terms)}


_BY_API = (Driver.OVERFLOW, Driver.ANSWERED)
"""Drivers of what APIs take, which needs no reserve."""
