"""The sums of the self-hosted bill, and what it would be with other nodes or another volume."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.line_item import LineItem, NotPriced, monthly_of
from breakeven.cost.bill.pricing import price_infrastructure
from breakeven.cost.bill.registered import Registered
from breakeven.cost.bill.shared_costs import staffing_items
from breakeven.cost.break_even import Staircase
from breakeven.cost.demand.load import Load
from breakeven.cost.fleet.plan import Fleet, FleetWeek
from breakeven.money import to_cents, to_decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What self-hosting costs, in USD a month.

    Attributes:
        nodes_monthly: All that grows with GPU nodes.
        other_infrastructure_monthly: Volumes, load balancer, the cluster's share.
        staffing_monthly: People.
        overflow_monthly: What an API takes for requests that the stack's gateway sends there; at
            another volume it would be another, so it is not a fixed cost.
        contingency_share: Reserve over machines and people, 0 to 1; an API's price needs none.
        mean_nodes: GPU nodes paid, averaged over time.
    """

    nodes_monthly: Decimal
    other_infrastructure_monthly: Decimal
    staffing_monthly: Decimal
    overflow_monthly: Decimal
    contingency_share: Decimal
    mean_nodes: Decimal

    @classmethod
    def of(
        cls,
        machines: Iterable[LineItem],
        people: Iterable[LineItem],
        *,
        contingency_share: Decimal,
        mean_nodes: float,
    ) -> Bill:
        """Parts the lines of a bill by what each part grows with."""
        lines = tuple(machines)
        nodes = monthly_of(line for line in lines if line.grows_with_nodes)
        overflow = monthly_of(line for line in lines if line.kind == "overflow")
        return cls(
            nodes_monthly=nodes,
            other_infrastructure_monthly=monthly_of(lines) - nodes - overflow,
            staffing_monthly=monthly_of(people),
            overflow_monthly=overflow,
            contingency_share=contingency_share,
            mean_nodes=to_decimal(mean_nodes),
        )

    @property
    def contingency(self) -> Decimal:
        """Reserve, to the cent."""
        return to_cents(self._own_monthly * self.contingency_share)

    @property
    def total(self) -> Decimal:
        """Everything counted."""
        return self._own_monthly + self.contingency + self.overflow_monthly

    @property
    def _own_monthly(self) -> Decimal:
        return self.nodes_monthly + self.other_infrastructure_monthly + self.staffing_monthly

    @property
    def staffing_share(self) -> Decimal:
        """People and their part of the contingency over everything, 0 to 1."""
        if not self.total:
            return Decimal(0)
        return self.staffing_monthly * (1 + self.contingency_share) / self.total

    @property
    def fixed_monthly(self) -> Decimal:
        """What it costs without any GPU node or overflow, contingency included."""
        return (self.other_infrastructure_monthly + self.staffing_monthly) * (
            1 + self.contingency_share
        )

    @property
    def node_monthly(self) -> Decimal:
        """What one GPU node costs, contingency included; 0 where none is ever paid."""
        if not self.mean_nodes:
            return Decimal(0)
        return self.nodes_monthly / self.mean_nodes * (1 + self.contingency_share)

    def infrastructure_only(self) -> Bill:
        """Returns the bill without people and contingency, as most comparisons count."""
        return replace(self, staffing_monthly=Decimal(0), contingency_share=Decimal(0))

    def with_nodes(self, mean_nodes: float) -> Decimal:
        """Returns everything counted, were that many nodes paid on average."""
        own = self.fixed_monthly + self.node_monthly * to_decimal(mean_nodes)
        return own + self.overflow_monthly

    def staircase(self, load: Load, fleet: Fleet, requests_per_second: float) -> Staircase:
        """Returns the cost as a function of volume.

        Args:
            load: Its shape and burst; its volume plays no part.
            fleet: How nodes come and go.
            requests_per_second: What one replica serves.
        """
        follow = fleet.autoscaling and fleet.fixed_nodes is None
        rates = load.requests_per_second() * (load.burst_factor / load.tokens_per_day)
        return Staircase(
            peak_rates_per_token=np.asarray(rates),
            requests_per_second_per_node=requests_per_second * fleet.replicas_per_node,
            lowest_nodes=fleet.lowest_nodes,
            nodes_follow_load=follow,
            nodes_paid=fleet.nodes_paid,
            hours_per_start=(fleet.start_seconds + fleet.scale_down_seconds) / 3600,
            fixed_monthly=self.fixed_monthly,
            node_monthly=self.node_monthly,
        )


def bill_of(resources: Iterable[Registered], week: FleetWeek, assumptions: Assumptions) -> Bill:
    """Prices a ledger.

    Args:
        resources: The ledger, with a GPU pool.
        week: What the fleet does.
        assumptions: Prices and everything else.
    """
    return Bill.of(
        price_infrastructure(resources, week, assumptions).lines,
        staffing_items(assumptions),
        contingency_share=assumptions.staffing.contingency_share,
        mean_nodes=week.mean_nodes,
    )


def unpriced(resources: Iterable[Registered], assumptions: Assumptions) -> tuple[NotPriced, ...]:
    """Returns what has no price, and is in no total.

    Args:
        resources: The ledger.
        assumptions: Prices and everything else.
    """
    return price_infrastructure(resources, assumptions.week(), assumptions).not_priced
