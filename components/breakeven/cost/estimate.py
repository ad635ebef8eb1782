"""From what was registered to the whole answer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal

from breakeven.catalog.api_prices import ApiPrice
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.bill import Bill, api_monthly
from breakeven.cost.bill.by_model import model_costs
from breakeven.cost.bill.classify import Registered
from breakeven.cost.bill.pricing import price_resources
from breakeven.cost.bill.shared_costs import staffing_items
from breakeven.cost.break_even import BreakEven, find_break_even
from breakeven.cost.demand.load_duration import LoadDuration
from breakeven.cost.hybrid import Hybrid, SplitRules
from breakeven.cost.recommendation import Evidence, Option, Verdict, decide
from breakeven.cost.report import ApiCost, BreakEvenAgainst, Report
from breakeven.cost.several_models import (
    Served,
    fleet_week,
    high,
    joint_price,
    low,
    planned,
    staircase_of,
)
from breakeven.formatting import counted, volume

LARGEST_NODES = 64
"""Nodes up to which break-even and hybrid are searched; beyond it, "never within 64 nodes"."""


def estimate(resources: Iterable[Registered], assumptions: Assumptions) -> Report:
    """Prices a stack, compares it with the APIs and recommends.

    Args:
        resources: The ledger.
        assumptions: Everything else.
    """
    return _Estimate(tuple(resources), assumptions).report()


class _Estimate:
    """Carries the intermediate results, each of which several steps need."""

    def __init__(self, resources: tuple[Registered, ...], assumptions: Assumptions) -> None:
        self.assumptions = assumptions
        self.weeks = tuple(model.week() for model in assumptions.models)
        self.week = fleet_week(self.weeks, assumptions)
        several = self.weeks if assumptions.others else ()
        self.infrastructure = price_resources(resources, self.week, assumptions, several)
        self.staffing = staffing_items(assumptions)
        self.bill = Bill.of(
            self.infrastructure.lines,
            self.staffing,
            contingency_share=assumptions.staffing.contingency_share,
            mean_nodes=self.week.mean_nodes,
        )

    def report(self) -> Report:
        assumptions = self.assumptions
        in_use = joint_price([model.api_in_use for model in assumptions.models], assumptions)
        api = self.by_api(in_use, same_model=False)
        hosted = sorted(
            (self.by_api(price, same_model=True) for price in self.hosted()),
            key=lambda cost: cost.monthly,
        )
        comparators = [api, *hosted[:1]]
        break_even = tuple(self.break_even_against(cost) for cost in comparators)
        overflow = min(comparators, key=lambda cost: cost.monthly)
        split = None if assumptions.others else self.hybrid_option(overflow)
        hybrid, hybrid_option = split if split is not None else (None, None)
        return Report(
            assumptions=assumptions,
            week=self.week,
            infrastructure=self.infrastructure,
            staffing=self.staffing,
            bill=self.bill,
            api=api,
            hosted=tuple(hosted),
            break_even=break_even,
            hybrid=hybrid,
            verdict=self.verdict(comparators, hybrid_option, break_even),
            notes=self.notes(),
            models=model_costs(assumptions, self.weeks, self.infrastructure.lines, self.bill),
        )

    def hosted(self) -> tuple[ApiPrice, ...]:
        """Returns the offers of the same model; of several, the cheapest of each together."""
        offers = [model.hosted for model in self.assumptions.models]
        if len(offers) == 1:
            return offers[0]
        if not all(offers):
            return ()
        cheapest = [min(prices, key=lambda price: price.usd_per_request) for prices in offers]
        return (joint_price(cheapest, self.assumptions),)

    def by_api(self, price: ApiPrice, *, same_model: bool) -> ApiCost:
        return ApiCost(price, api_monthly(price, self.assumptions), same_model)

    def total_at(self, served: Served) -> Decimal:
        """Returns the whole bill if a replica served that much."""
        models = self.assumptions.models
        weeks = [model.planned_week(served(model)) for model in models]
        return self.bill.with_nodes(fleet_week(weeks, self.assumptions).mean_nodes)

    def break_even_against(self, cost: ApiCost) -> BreakEvenAgainst:
        per_token = cost.monthly / self.assumptions.tokens_per_day

        def search(bill: Bill, served: Served) -> BreakEven:
            staircase = staircase_of(bill, self.assumptions, served)
            return find_break_even(staircase, per_token, LARGEST_NODES)

        return BreakEvenAgainst(
            api=cost,
            infrastructure_only=search(self.bill.infrastructure_only(), planned),
            loaded=search(self.bill, planned),
            loaded_low=search(self.bill, low),
            loaded_high=search(self.bill, high),
        )

    def hybrid_option(self, overflow: ApiCost) -> tuple[Hybrid, Option] | None:
        """Returns the cheapest split, or None where it is no split: all here or nothing here."""
        capacity, load = self.assumptions.capacity, self.assumptions.load
        per_node = self.assumptions.fleet.replicas_per_node
        rules = SplitRules(
            load=LoadDuration.of(load),
            fixed_monthly=self.bill.fixed_monthly,
            node_monthly=self.bill.node_monthly,
            api_monthly=overflow.monthly,
        )
        best = rules.cheapest(capacity.requests_per_second * per_node, LARGEST_NODES)
        whole = min(overflow.monthly, self.bill.total)
        if best.own_share >= 1 or best.monthly >= whole:
            return None
        dearest = rules.split(best.nodes, capacity.low_requests_per_second * per_node)
        nodes = counted(best.nodes, "own node")
        label = f"{nodes} and {overflow.price.reference} for {1 - best.own_share:.0%} of the load"
        return best, Option("hybrid", label, best.monthly, dearest.monthly)

    def verdict(
        self,
        comparators: list[ApiCost],
        hybrid: Option | None,
        break_even: tuple[BreakEvenAgainst, ...],
    ) -> Verdict:
        options = [
            Option(
                "hosted" if cost.same_model else "api",
                cost.price.reference,
                cost.monthly,
                cost.monthly,
            )
            for cost in comparators
        ]
        own = Option("self-host", "this stack", self.bill.total, self.total_at(low))
        options.append(own)
        if hybrid is not None:
            options.append(hybrid)
        cheapest = min(break_even, key=lambda row: row.api.monthly)
        evidence = self.evidence(in_words(cheapest, self.assumptions.tokens_per_day))
        return decide(options, evidence)

    def evidence(self, break_even: str) -> Evidence:
        """Returns what explains the verdict; of several models that which is served worst."""
        worst, week = max(
            zip(self.assumptions.models, self.weeks, strict=True),
            key=lambda one: (one[1].unserved_share, -one[0].simulated.totals.objective_share),
        )
        totals, capacity = worst.simulated.totals, worst.capacity
        peak = float(worst.load.requests_per_second().max()) * worst.load.burst_factor
        return Evidence(
            data_may_leave=self.assumptions.data_may_leave,
            busy_share=self.week.busy_share,
            staffing_share=self.bill.staffing_share,
            unserved_share=week.unserved_share,
            objective_share=totals.objective_share,
            objective_seconds=worst.simulated.objective_seconds,
            replicas_needed=math.ceil(peak / capacity.requests_per_second - 1e-9),
            break_even=break_even,
            error_percent=max(model.capacity.error_percent for model in self.assumptions.models),
            model=worst.served if self.assumptions.others else "",
        )

    def of(self, model: Assumptions) -> str:
        """Names a model where a stack has several."""
        return f" of {model.served}" if self.assumptions.others else ""

    def notes(self) -> tuple[str, ...]:
        models = self.assumptions.models
        served = (_served(model, self.of(model)) for model in models)
        weeks = (_hours(model, self.of(model)) for model in models)
        noted = (note for model in models for note in model.notes)
        joint = _JOINT if self.assumptions.others else ()
        return tuple(dict.fromkeys((*served, *weeks, *noted, *joint)))


_JOINT = (
    "Break-even is over the tokens of all models, in the proportion of the plan.",
    "Only with one model are worked out: the cheapest split with an API; what flips the verdict.",
)


def _served(model: Assumptions, of_model: str) -> str:
    capacity = model.capacity
    return (
        f"A replica{of_model} serves {capacity.total_tokens_per_second:,.0f} tokens a second, "
        f"{capacity.output_tokens_per_second:,.0f} of them output, with "
        f"{capacity.concurrent_requests} requests in flight: {capacity.method}, within "
        f"{capacity.error_percent:.0f}% ({capacity.source})."
    )


def _hours(model: Assumptions, of_model: str) -> str:
    return (
        f"Hours of the week{of_model}: {model.load.shape_source}; peak minute "
        f"{model.load.burst_factor:g} x its hour."
    )


def in_words(row: BreakEvenAgainst, tokens_per_day: int) -> str:
    """Says in a sentence where self-hosting starts to cost less."""
    name = row.api.price.reference
    if row.loaded.never:
        return (
            f"Self-hosting never costs less than {name} within {row.loaded.largest_nodes} nodes "
            f"({volume(row.loaded.largest_tokens_per_day)} tokens a day)."
        )
    first = row.loaded.cheaper[0]
    nodes = counted(first.nodes, "node")
    return (
        f"Self-hosting costs less than {name} from {volume(first.from_tokens_per_day)} tokens a "
        f"day ({nodes} at the peak); this stack plans for {volume(tokens_per_day)}."
    )
