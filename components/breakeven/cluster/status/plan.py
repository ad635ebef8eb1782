"""What the estimate says, as far as the status compares with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from breakeven.cost.bill.node_cost import RentedNode
from breakeven.cost.report import Report

PriceOf = Callable[[str, str], Decimal | None]


@dataclass(frozen=True)
class Plan:
    """What was planned, in USD.

    Attributes:
        month: Of a month, everything counted, a candidate on trial among it.
        fixed_hour: Of an hour without any GPU node.
        node_hour: Of an hour of a planned GPU node.
        hours_per_month: Hours of the month that `month` is for.
        budget: Of a month; None for no budget.
        price_of: USD for an hour of a node by machine type and purchase; None where unknown.
    """

    month: Decimal
    fixed_hour: Decimal
    node_hour: Decimal
    hours_per_month: Decimal
    budget: Decimal | None
    price_of: PriceOf

    @property
    def hourly(self) -> Decimal:
        """Of a mean hour."""
        return self.month / self.hours_per_month


def plan_of(report: Report) -> Plan:
    """Returns what an estimate says about a deployment's cost by the hour."""
    assumptions = report.assumptions
    hours = assumptions.calendar.hours_per_month
    node_hour = report.bill.node_monthly / hours
    fixed = sum((model.fixed + model.overflow for model in report.models), Decimal(0)) / hours
    # Of a candidate, all that is no GPU node: those are counted by their machines.
    fixed += sum((tried.without_nodes for tried in report.candidates), Decimal(0)) / hours

    def price_of(machine: str, purchase: str) -> Decimal | None:
        """The planned machine at the planned price; another one by the price book."""
        planned = assumptions.node
        if not isinstance(planned, RentedNode) or not machine:
            return node_hour
        if not planned.machine or (machine, purchase) == (planned.machine, planned.purchase):
            return node_hour
        kind = "reserved-1y" if purchase == "reserved" else purchase
        try:
            price = assumptions.book.node(assumptions.cloud, assumptions.region, machine, kind)
        except LookupError:
            return None
        # The planned node's other lines, such as its root volume, come with every node.
        return price.usd + node_hour - planned.price.usd

    return Plan(
        month=report.total_with_candidate,
        fixed_hour=fixed,
        node_hour=node_hour,
        hours_per_month=hours,
        budget=assumptions.budget_per_month,
        price_of=price_of,
    )
