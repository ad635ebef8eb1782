"""The sums of the self-hosted bill, and what it would be with other nodes or another volume."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.activity import Activity
from breakeven.cost.bill.charge import Driver
from breakeven.cost.bill.line_item import LineItem, NotPriced, monthly_of
from breakeven.cost.bill.pricing import price_infrastructure
from breakeven.cost.bill.registered import Registered
from breakeven.cost.bill.shared_costs import staffing_items
from breakeven.cost.break_even import Staircase
from breakeven.cost.demand.load import Load
from breakeven.cost.fleet.plan import Fleet, FleetWeek
from breakeven.money import to_cents, to_decimal


@dataclass(frozen=True, slots=True)
class Rate:
    """What some line items cost together for one unit of what they grow with.

    Attributes:
        model: The model that they are there for; empty for all of them.
        driver: What they grow with.
        usd_each: USD per month for one unit of it.
        monthly: USD per month at the load of the bill.
    """

    model: str
    driver: Driver
    usd_each: Decimal
    monthly: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What self-hosting costs, in USD per month.

    Attributes:
        nodes_monthly: All that grows with GPU nodes.
        other_infrastructure_monthly: Volumes, load balancer, the cluster's share.
        staffing_monthly: People.
        overflow_monthly: What an API takes for requests that the stack's gateway sends there; at
            another volume it would be another, so it is not a fixed cost.
        escalation_monthly: What an API takes for requests that it answers again.
        contingency_share: Reserve over machines and people, 0 to 1; an API's price needs none.
        mean_nodes: GPU nodes paid, averaged over time.
        rates: Of what the other infrastructure grows with; what has none is the same at any load.
    """

    nodes_monthly: Decimal
    other_infrastructure_monthly: Decimal
    staffing_monthly: Decimal
    overflow_monthly: Decimal
    contingency_share: Decimal
    mean_nodes: Decimal
    rates: tuple[Rate, ...] = ()
    escalation_monthly: Decimal = Decimal(0)

    @classmethod
    def of(
        cls,
        machines: Iterable[LineItem],
        people: Iterable[LineItem],
        *,
        contingency_share: Decimal,
        mean_nodes: float,
    ) -> Bill:
        """Parts the lines of a bill by what each part grows with.

        Args:
            machines: Of machines, with those that only another load would cause.
            people: Of people.
            contingency_share: Reserve over both, 0 to 1.
            mean_nodes: GPU nodes paid, averaged over time.
        """
        lines = tuple(machines)
        nodes = monthly_of(line for line in lines if line.driver is Driver.NODES)
        overflow = monthly_of(line for line in lines if line.driver is Driver.OVERFLOW)
        escalation = monthly_of(line for line in lines if line.driver is Driver.ANSWERED)
        return cls(
            nodes_monthly=nodes,
            other_infrastructure_monthly=monthly_of(lines) - nodes - overflow - escalation,
            staffing_monthly=monthly_of(people),
            overflow_monthly=overflow,
            contingency_share=contingency_share,
            mean_nodes=to_decimal(mean_nodes),
            rates=tuple(
                Rate(line.model, line.driver, line.usd_each, line.monthly)
                for line in lines
                if line.driver not in _APART
            ),
            escalation_monthly=escalation,
        )

    @property
    def contingency(self) -> Decimal:
        """Reserve, to the cent."""
        return to_cents(self._own_monthly * self.contingency_share)

    @property
    def total(self) -> Decimal:
        """Everything counted."""
        return self._own_monthly + self.contingency + self.by_api_monthly

    @property
    def by_api_monthly(self) -> Decimal:
        """What APIs take; it needs no reserve."""
        return self.overflow_monthly + self.escalation_monthly

    @property
    def _own_monthly(self) -> Decimal:
        return self.nodes_monthly + self.other_infrastructure_monthly + self.staffing_monthly

    @property
    def _reserve(self) -> Decimal:
        return 1 + self.contingency_share

    def _reserved(self, driver: Driver) -> Decimal:
        """Returns the factor for contingency of what grows with a driver."""
        return Decimal(1) if driver is Driver.ANSWERED else self._reserve

    @property
    def _grows_monthly(self) -> Decimal:
        """What grows with the load beside nodes, and what APIs take."""
        own = (rate.monthly for rate in self.rates if rate.driver is not Driver.ANSWERED)
        return sum(own, Decimal(0))

    @property
    def staffing_share(self) -> Decimal:
        """People and their part of the contingency over everything, 0 to 1."""
        if not self.total:
            return Decimal(0)
        return self.staffing_monthly * self._reserve / self.total

    @property
    def without_nodes_monthly(self) -> Decimal:
        """What all but GPU nodes and overflow costs at this load, contingency included."""
        return (self.other_infrastructure_monthly + self.staffing_monthly) * self._reserve

    @property
    def fixed_monthly(self) -> Decimal:
        """What it costs without any load, contingency included."""
        return self.without_nodes_monthly - self._grows_monthly * self._reserve

    @property
    def gateway_monthly(self) -> Decimal:
        """What the gateway's pods cost that come with this load, contingency included."""
        pods = (rate.monthly for rate in self.rates if rate.driver is Driver.GATEWAY_PODS)
        return sum(pods, Decimal(0)) * self._reserve

    @property
    def node_monthly(self) -> Decimal:
        """What one GPU node costs, contingency included; 0 if none is ever paid."""
        if not self.mean_nodes:
            return Decimal(0)
        return self.nodes_monthly / self.mean_nodes * self._reserve

    def usd_for_each(self, driver: Driver, model: str = "") -> Decimal:
        """Returns USD per month for one unit of a driver of a model, contingency included.

        Args:
            driver: Neither nodes nor overflow.
            model: Its name; empty for what all models share, or the only one.
        """
        found = (
            rate.usd_each for rate in self.rates if rate.driver is driver and rate.model == model
        )
        return sum(found, Decimal(0)) * self._reserved(driver)

    def infrastructure_only(self) -> Bill:
        """Returns the bill without people and contingency, as most comparisons count."""
        return replace(self, staffing_monthly=Decimal(0), contingency_share=Decimal(0))

    def without_fixed_costs(self) -> Bill:
        """Returns only what grows with the load, without contingency of its own for the rest."""
        return replace(
            self, other_infrastructure_monthly=self._grows_monthly, staffing_monthly=Decimal(0)
        )

    def at(self, activities: Mapping[str, Activity]) -> Decimal:
        """Returns the fully loaded cost if the load made the fleet do something else.

        What overflows stays as it is.

        Args:
            activities: See `activities_of`.
        """
        nodes = self.node_monthly * activities[""].amount_of(Driver.NODES)
        grows = sum(
            (
                rate.usd_each
                * activities[rate.model].amount_of(rate.driver)
                * self._reserved(rate.driver)
                for rate in self.rates
            ),
            Decimal(0),
        )
        return self.fixed_monthly + nodes + grows + self.overflow_monthly

    def staircase(
        self, load: Load, fleet: Fleet, requests_per_second: float, model: str = ""
    ) -> Staircase:
        """Returns the cost as a function of volume.

        Args:
            load: Its shape and burst; its volume plays no part.
            fleet: How nodes come and go.
            requests_per_second: What one replica serves.
            model: Name of the model whose load it is, where a stack has several.
        """
        follow = fleet.autoscaling and fleet.fixed_nodes is None
        a_token = load.requests_per_second() / load.tokens_per_day
        per_node = requests_per_second * fleet.replicas_per_node
        gpus = float(a_token.mean()) / per_node * fleet.gpus_per_node
        work = self.usd_for_each(Driver.WORK, model) * Decimal(repr(gpus))
        return Staircase(
            peak_rates_per_token=np.asarray(a_token * load.burst_factor),
            requests_per_second_per_node=per_node,
            lowest_nodes=fleet.lowest_nodes,
            lowest_planned=fleet.lowest_planned_nodes,
            replicas_follow_load=fleet.autoscaling,
            nodes_follow_load=follow,
            curve=fleet.curve_by_volume,
            hours_per_start=(fleet.start_seconds + fleet.scale_down_seconds) / 3600,
            fixed_monthly=self.fixed_monthly,
            node_monthly=self.node_monthly,
            node_start_monthly=self.usd_for_each(Driver.NODE_STARTS, model),
            replica_start_monthly=self.usd_for_each(Driver.REPLICA_STARTS, model),
            token_monthly=self.usd_for_each(Driver.TOKENS, model)
            + self.usd_for_each(Driver.ANSWERED, model)
            + work,
        )


_APART = (Driver.NOTHING, Driver.NODES, Driver.OVERFLOW)
"""Drivers of lines that a bill does not keep rates of."""


def bill_of(resources: Iterable[Registered], week: FleetWeek, assumptions: Assumptions) -> Bill:
    """Prices a ledger.

    Args:
        resources: The ledger, with a GPU pool.
        week: What the fleet does.
        assumptions: Prices and everything else.
    """
    found = price_infrastructure(resources, week, assumptions)
    return Bill.of(
        (*found.lines, *found.dormant),
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
