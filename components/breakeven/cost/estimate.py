"""From what was registered to the whole answer."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from breakeven.catalog.apis.prices import ApiPrice
from breakeven.cost.api_cost import api_curve, api_monthly
from breakeven.cost.as_hybrid import as_hybrid, usd_for_each_token_out
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.availability import availability_of
from breakeven.cost.bill.activity import activities_of
from breakeven.cost.bill.bill import Bill
from breakeven.cost.bill.by_model import cheapest_hosted, model_costs
from breakeven.cost.bill.candidate import without
from breakeven.cost.bill.charge import Driver
from breakeven.cost.bill.line_item import Infrastructure, monthly_of
from breakeven.cost.bill.pricing import price_infrastructure
from breakeven.cost.bill.registered import Registered
from breakeven.cost.bill.shared_costs import staffing_items
from breakeven.cost.break_even import BreakEven, find_break_even
from breakeven.cost.capacity.latency import Objective
from breakeven.cost.demand.load_duration import LoadDuration
from breakeven.cost.enlarged import enlarged, is_too_small, nodes_at_peak, weeks_if_slower
from breakeven.cost.hybrid import SplitRules
from breakeven.cost.recommendation import BreakEvenVolume, Evidence, Option, Verdict, decide
from breakeven.cost.report import ApiCost, BreakEvenAgainst, ModelShortfall, Report, Shortfall
from breakeven.cost.several_models import (
    Served,
    fleet_week,
    high,
    joint_price,
    low,
    planned,
    staircase_of,
)
from breakeven.cost.staffing_guidance import staffing_guidance

LARGEST_NODES = 64
"""Maximum nodes of the search for break-even and hybrid; "never" means not up to that many."""


def estimate(resources: Iterable[Registered], assumptions: Assumptions) -> Report:
    """Prices a stack, compares it with the APIs and recommends.

    Args:
        resources: The ledger.
        assumptions: Everything else.
    """
    return _Estimate(tuple(resources), assumptions).report()


def monthly_total(resources: Iterable[Registered], assumptions: Assumptions) -> Decimal:
    """Returns USD per month that a stack costs as configured: `Report.total`, and nothing else."""
    return _Estimate(tuple(resources), assumptions).bill.total


def infrastructure_of(resources: Iterable[Registered], assumptions: Assumptions) -> Infrastructure:
    """Returns what the resources of a stack cost, as `Report.infrastructure` has it."""
    return _Estimate(tuple(resources), assumptions).infrastructure


class _Estimate:
    """Carries the intermediate results, each of which several steps need."""

    def __init__(self, resources: tuple[Registered, ...], assumptions: Assumptions) -> None:
        self.resources = without(resources, assumptions.candidates)
        self.assumptions = assumptions
        self.weeks = tuple(model.week() for model in assumptions.models)
        self.week = fleet_week(self.weeks, assumptions)
        several = self.weeks if assumptions.others else ()
        self.infrastructure = price_infrastructure(self.resources, self.week, assumptions, several)
        self.staffing = staffing_items(assumptions)
        self.bill = Bill.of(
            (*self.infrastructure.lines, *self.infrastructure.dormant),
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
        deciding = [cost for cost in hosted if cost.decides][:1]
        comparators = [cost for cost in (api, *deciding) if cost.decides]
        break_even = tuple(self.break_even_against(cost) for cost in comparators or [api])
        overflow = min(comparators, key=lambda cost: cost.monthly, default=None)
        hybrid = None
        if overflow is not None and not assumptions.others and assumptions.may_share_with_api:
            hybrid = self.hybrid_option(overflow)
        serving = self.serving()
        shortfall = None if serving is self else self.shortfall(serving)
        return Report(
            assumptions=assumptions,
            week=self.week,
            infrastructure=self.infrastructure,
            staffing=self.staffing,
            bill=self.bill,
            api=api,
            hosted=tuple(hosted),
            break_even=break_even,
            hybrid=None if hybrid is None else hybrid.split,
            shortfall=shortfall,
            staffing_guidance=staffing_guidance(assumptions, nodes_at_peak(serving.assumptions)),
            verdict=self.verdict(
                serving.own_option(0 if shortfall is None else shortfall.nodes),
                serving,
                comparators,
                hybrid,
                break_even,
            ),
            models=model_costs(assumptions, self.weeks, self.infrastructure.lines, self.bill),
            availability=availability_of(
                assumptions, self.bill, None if overflow is None else overflow.monthly
            ),
        )

    def hosted(self) -> tuple[ApiPrice, ...]:
        """Returns the offers of the same model; of several, the cheapest of each together."""
        models = self.assumptions.models
        if len(models) == 1:
            return models[0].hosted
        cheapest = [cheapest_hosted(model) for model in models]
        if not all(cheapest):
            return ()
        return (joint_price([price for price in cheapest if price], self.assumptions),)

    def by_api(self, price: ApiPrice, *, same_model: bool) -> ApiCost:
        return ApiCost(price, api_monthly(price, self.assumptions), same_model)

    def serving(self) -> _Estimate:
        """Returns the estimate of the stack that serves all of its traffic in time."""
        if not is_too_small(self.assumptions):
            return self
        return _Estimate(self.resources, enlarged(self.assumptions))

    def shortfall(self, serving: _Estimate) -> Shortfall:
        """Returns what the configured fleet does not do, and the one that does."""
        models = zip(self.assumptions.models, self.weeks, serving.assumptions.models, strict=True)
        return Shortfall(
            models=tuple(
                ModelShortfall(
                    model=model.model_name if self.assumptions.others else "",
                    unserved_share=week.unserved_share,
                    objective_share=model.simulated.totals.objective_share,
                    objective_seconds=model.simulated.objective_seconds,
                    configured=model.fleet,
                    serving=larger.fleet,
                    serving_share=larger.simulated.totals.objective_share,
                    unit=model.load.unit,
                )
                for model, week, larger in models
                if model.serving is not None and model.serving.enlarged
            ),
            mean_nodes=serving.week.mean_nodes,
            nodes=nodes_at_peak(serving.assumptions),
            monthly=serving.bill.total,
        )

    def own_option(self, enlarged_to: int) -> Option:
        """Returns this stack as an option; it serves all of its traffic in time."""
        week, weeks = weeks_if_slower(self.assumptions)
        several = weeks if self.assumptions.others else ()
        monthly = self.bill.total
        slower = max(monthly, self.bill.at(activities_of(self.assumptions, week, several)))
        return Option(
            "self-host", monthly, slower, enlarged_to=enlarged_to, missed=self.missed_objective
        )

    def break_even_against(self, cost: ApiCost) -> BreakEvenAgainst:
        curve = api_curve(cost.price, self.assumptions)

        def search(bill: Bill, served: Served) -> BreakEven:
            staircase = staircase_of(bill, self.assumptions, served)
            return find_break_even(staircase, curve, LARGEST_NODES)

        return BreakEvenAgainst(
            api=cost,
            infrastructure_only=search(self.bill.infrastructure_only(), planned),
            loaded=search(self.bill, planned),
            loaded_low=search(self.bill, low),
            loaded_high=search(self.bill, high),
        )

    def hybrid_option(self, overflow: ApiCost) -> Option:
        """Returns the cheapest split; if own nodes serve everything, the API is their fallback.

        It has what the stack would need in mode hybrid, whatever its mode is.
        """
        capacity, load = self.assumptions.capacity, self.assumptions.load
        tokens, fleet = self.assumptions.tokens_per_day, self.assumptions.fleet
        needed = _Estimate(*as_hybrid(self.resources, self.assumptions))
        bill = needed.bill
        rules = SplitRules(
            load=LoadDuration.of(load),
            # Its nodes all run always, so that a commitment to such nodes covers each of them.
            fixed_monthly=bill.fixed_monthly
            + bill.gateway_monthly
            + self.committed() * fleet.lowest_nodes,
            node_monthly=bill.node_monthly - self.committed(),
            api_monthly=overflow.monthly + usd_for_each_token_out(needed.infrastructure) * tokens,
            api_fee=overflow.price.monthly_fee,
            answered_monthly=bill.usd_for_each(Driver.ANSWERED) * tokens,
            text_monthly=bill.usd_for_each(Driver.TOKENS) * tokens,
            work_monthly=bill.usd_for_each(Driver.WORK) * fleet.gpus_per_node,
        )
        per_node = fleet.replicas_per_node
        best = rules.cheapest(capacity.requests_per_second * per_node, LARGEST_NODES)
        dearest = rules.split(best.nodes, capacity.low_requests_per_second * per_node)
        return Option(
            "hybrid",
            best.monthly,
            dearest.monthly,
            overflow.price.reference,
            best,
            missed=self.missed_objective,
        )

    @property
    def missed_objective(self) -> Objective | None:
        """The objective that own nodes miss even with a single request; None if they meet all."""
        missed = (model.capacity.missed for model in self.assumptions.models)
        return next(filter(None, missed), None)

    def committed(self) -> Decimal:
        """Returns what a commitment takes off a node that always runs, contingency included."""
        taken = -monthly_of(line for line in self.infrastructure.lines if line.kind == "commitment")
        if not taken:
            return Decimal(0)
        reserve = 1 + self.bill.contingency_share
        return taken * reserve / self.assumptions.fleet.lowest_nodes

    def verdict(
        self,
        own: Option,
        serving: _Estimate,
        comparators: list[ApiCost],
        hybrid: Option | None,
        break_even: tuple[BreakEvenAgainst, ...],
    ) -> Verdict:
        options = [
            Option(
                "hosted" if cost.same_model else "api",
                cost.monthly,
                cost.monthly,
                cost.price.reference,
            )
            for cost in comparators
        ]
        options.append(own)
        if hybrid is not None:
            options.append(hybrid)
        cheapest = min(
            (row for row in break_even if row.api.decides),
            key=lambda row: row.api.monthly,
            default=None,
        )
        evidence = Evidence(
            data_may_leave=self.assumptions.data_may_leave,
            busy_share=serving.week.busy_share,
            staffing_share=serving.bill.staffing_share,
            break_even=None
            if cheapest is None
            else BreakEvenVolume(
                cheapest.api.price.reference, cheapest.loaded, self.assumptions.tokens_per_day
            ),
            error_percent=max(model.capacity.error_percent for model in self.assumptions.models),
            unit=self.assumptions.load.unit,
            on_cpus=self.assumptions.engine.gpu.is_cpu,
            kept_inside=self.assumptions.kept_inside,
        )
        return decide(options, evidence)
