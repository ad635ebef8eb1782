"""From what was registered to the whole answer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from components.cost.api_prices import ApiPrice
from components.cost.assumptions import Assumptions
from components.cost.bill import Bill, api_monthly
from components.cost.break_even import BreakEven, find_break_even
from components.cost.hybrid import Hybrid, SplitRules
from components.cost.lines import people_lines, price_machines
from components.cost.quantities import Registered
from components.cost.report import ApiCost, BreakEvenAgainst, Report
from components.cost.verdict import Evidence, Option, Verdict, decide
from components.cost.week.demand import rates_by_minute

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
        self.rates = assumptions.load.requests_per_second()
        plan = assumptions.planned_week(assumptions.capacity.requests_per_second)
        own_share = 1 - assumptions.simulated.totals.overflow_share
        self.week = replace(plan, busy_share=plan.busy_share * own_share)
        self.machines = price_machines(resources, self.week, assumptions)
        self.people = people_lines(assumptions)
        self.bill = Bill.of(
            self.machines.lines,
            self.people,
            contingency_share=assumptions.people.contingency_share,
            mean_nodes=self.week.mean_nodes,
        )

    def report(self) -> Report:
        assumptions = self.assumptions
        api = self.by_api(assumptions.api_in_use, same_model=False)
        hosted = sorted(
            (self.by_api(price, same_model=True) for price in assumptions.hosted),
            key=lambda cost: cost.monthly,
        )
        comparators = [api, *hosted[:1]]
        break_even = tuple(self.break_even_against(cost) for cost in comparators)
        split = self.hybrid_option(min(comparators, key=lambda cost: cost.monthly))
        hybrid, hybrid_option = split if split is not None else (None, None)
        return Report(
            assumptions=assumptions,
            week=self.week,
            machines=self.machines,
            people=self.people,
            contingency=self.bill.contingency,
            api=api,
            hosted=tuple(hosted),
            break_even=break_even,
            hybrid=hybrid,
            verdict=self.verdict(comparators, hybrid_option, break_even),
            notes=self.notes(),
        )

    def by_api(self, price: ApiPrice, *, same_model: bool) -> ApiCost:
        return ApiCost(price, api_monthly(price, self.assumptions), same_model)

    def total_at(self, requests_per_second: float) -> Decimal:
        """Returns the whole bill if a replica served that much."""
        return self.bill.with_nodes(self.assumptions.planned_week(requests_per_second).mean_nodes)

    def break_even_against(self, cost: ApiCost) -> BreakEvenAgainst:
        per_token = cost.monthly / self.assumptions.load.tokens_per_day
        capacity = self.assumptions.capacity

        def search(bill: Bill, requests_per_second: float) -> BreakEven:
            staircase = bill.staircase(
                self.assumptions.load, self.assumptions.fleet, requests_per_second
            )
            return find_break_even(staircase, per_token, LARGEST_NODES)

        return BreakEvenAgainst(
            api=cost,
            machines_only=search(self.bill.machines_only(), capacity.requests_per_second),
            loaded=search(self.bill, capacity.requests_per_second),
            loaded_low=search(self.bill, capacity.low_requests_per_second),
            loaded_high=search(self.bill, capacity.high_requests_per_second),
        )

    def hybrid_option(self, overflow: ApiCost) -> tuple[Hybrid, Option] | None:
        """Returns the cheapest split, or None where it is no split: all here or nothing here."""
        capacity = self.assumptions.capacity
        per_node = self.assumptions.fleet.replicas_per_node
        rules = SplitRules(
            rates=rates_by_minute(self.rates, self.assumptions.load.burst_factor, seed=0),
            fixed_monthly=self.bill.fixed_monthly,
            node_monthly=self.bill.node_monthly,
            api_monthly=overflow.monthly,
        )
        best = rules.cheapest(capacity.requests_per_second * per_node, LARGEST_NODES)
        whole = min(overflow.monthly, self.bill.total)
        if best.own_share >= 1 or best.monthly >= whole:
            return None
        dearest = rules.split(best.nodes, capacity.low_requests_per_second * per_node)
        nodes = "1 own node" if best.nodes == 1 else f"{best.nodes} own nodes"
        label = f"{nodes} and {overflow.price.reference} for {1 - best.own_share:.0%} of the load"
        return best, Option("hybrid", label, best.monthly, (best.monthly, dearest.monthly))

    def verdict(
        self,
        comparators: list[ApiCost],
        hybrid: Option | None,
        break_even: tuple[BreakEvenAgainst, ...],
    ) -> Verdict:
        capacity, load = self.assumptions.capacity, self.assumptions.load
        simulated = self.assumptions.simulated
        own = self.bill.total
        own_range = (
            self.total_at(capacity.high_requests_per_second),
            self.total_at(capacity.low_requests_per_second),
        )
        options = [
            Option(
                "hosted" if cost.same_model else "api",
                cost.price.reference,
                cost.monthly,
                (cost.monthly, cost.monthly),
            )
            for cost in comparators
        ]
        options.append(Option("self-host", "this stack", own, own_range))
        if hybrid is not None:
            options.append(hybrid)
        cheapest = min(break_even, key=lambda row: row.api.monthly)
        peak = float(self.rates.max()) * load.burst_factor
        evidence = Evidence(
            data_may_leave=self.assumptions.data_may_leave,
            busy_share=self.week.busy_share,
            people_share=self.bill.people_monthly * (1 + self.bill.contingency_share) / own,
            unserved_share=0.0 if simulated.totals.overflow_share else self.week.unserved_share,
            objective_share=simulated.totals.objective_share,
            objective_seconds=simulated.objective_seconds,
            replicas_needed=math.ceil(peak / capacity.requests_per_second - 1e-9),
            break_even=in_words(cheapest, load.tokens_per_day),
            error_percent=capacity.error_percent,
        )
        return decide(options, evidence)

    def notes(self) -> tuple[str, ...]:
        capacity, load = self.assumptions.capacity, self.assumptions.load
        served = (
            f"A replica serves {capacity.total_tokens_per_second:,.0f} tokens a second, "
            f"{capacity.output_tokens_per_second:,.0f} of them output, with "
            f"{capacity.concurrent_requests} requests in flight: {capacity.method}, within "
            f"{capacity.error_percent:.0f}% ({capacity.source})."
        )
        burst = f"peak minute {load.burst_factor:g} x its hour"
        week = f"Hours of the week: {load.shape_source}; {burst}."
        return served, week, *self.assumptions.notes


def in_words(row: BreakEvenAgainst, tokens_per_day: int) -> str:
    """Says in a sentence where self-hosting starts to cost less."""
    name = row.api.price.reference
    if row.loaded.never:
        return (
            f"Self-hosting never costs less than {name} within {row.loaded.largest_nodes} nodes "
            f"({volume(row.loaded.largest_tokens_per_day)} tokens a day)."
        )
    first = row.loaded.cheaper[0]
    nodes = "1 node" if first.nodes == 1 else f"{first.nodes} nodes"
    return (
        f"Self-hosting costs less than {name} from {volume(first.from_tokens_per_day)} tokens a "
        f"day ({nodes} at the peak); this stack plans for {volume(tokens_per_day)}."
    )


def volume(tokens: float) -> str:
    """Writes a number of tokens as people say it."""
    for size, word in ((10**12, "trillion"), (10**9, "billion"), (10**6, "million")):
        if tokens >= size:
            number = tokens / size
            places = max(0, 2 - int(math.log10(number)))
            text = f"{number:,.{places}f}"
            return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {word}"
    return f"{tokens:,.0f}"
