"""What each model of a stack costs: its own part of the bill, and its share of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from breakeven.catalog.apis.prices import ApiPrice
from breakeven.cost.api_cost import api_monthly
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.bill import Bill
from breakeven.cost.bill.charge import Driver
from breakeven.cost.bill.line_item import LineItem, monthly_of
from breakeven.cost.fleet.plan import FleetWeek
from breakeven.money import to_decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCost:
    """One model's part of a stack. Money in USD per month, contingency included.

    Attributes:
        assumptions: The model's.
        week: What its replicas do.
        mean_nodes: Nodes that it pays on average. In a pool of fixed size all nodes are shared out
            by the GPUs that the models' replicas may take.
        busy_share: Work done over work that those nodes could do, 0 to 1.
        own: What is there for it alone: nodes, volumes, load balancer, overflow.
        fixed: What grows neither with nodes nor with overflow: of `own`, and of what all models
            share, which is parted in proportion to `own`.
        total: All of it; the models' totals are the bill's.
        overflow: What an API takes for requests that the gateway sends there, and for those that it
            answers again.
        api_monthly: Its traffic by the API in use.
        hosted: The cheapest offer of the same open model; None if none is known.
    """

    assumptions: Assumptions
    week: FleetWeek
    mean_nodes: float
    busy_share: float
    own: Decimal
    fixed: Decimal
    total: Decimal
    overflow: Decimal
    api_monthly: Decimal
    hosted: ApiPrice | None

    @property
    def hosted_monthly(self) -> Decimal | None:
        """Its traffic by that offer."""
        return None if self.hosted is None else api_monthly(self.hosted, _alone(self.assumptions))

    @property
    def cheapest_api(self) -> Decimal:
        """Its traffic by the cheaper of both."""
        hosted = self.hosted_monthly
        return self.api_monthly if hosted is None else min(self.api_monthly, hosted)

    @property
    def served_tokens(self) -> Decimal:
        """Tokens of a month that are served, here or, where the gateway sends them, by the API."""
        tokens = self.assumptions.load.tokens_per_month(self.assumptions.calendar)
        return tokens * (1 - to_decimal(self.week.unserved_share))

    @property
    def own_tokens(self) -> Decimal:
        """Those of them that own replicas serve."""
        return self.served_tokens * (1 - to_decimal(self.week.overflow_share))

    @property
    def usd_per_million_tokens(self) -> Decimal:
        """Everything over the tokens that are served; idle hours are paid too."""
        return self.total / self.served_tokens * 10**6

    @property
    def usd_per_million_own_tokens(self) -> Decimal | None:
        """What own replicas cost over the tokens that they serve; None if they serve none."""
        own = self.own_tokens
        return (self.total - self.overflow) / own * 10**6 if own else None


def cheapest_hosted(model: Assumptions) -> ApiPrice | None:
    """Returns the cheapest offer of a model that may decide; None if there is none."""
    offers = (price for price in model.hosted if price.decides)
    return min(offers, key=model.usd_by_api, default=None)


_BY_API = (Driver.OVERFLOW, Driver.ANSWERED)
"""Of lines that an API charges, which need no reserve."""


def model_costs(
    assumptions: Assumptions, weeks: Sequence[FleetWeek], lines: Sequence[LineItem], bill: Bill
) -> tuple[ModelCost, ...]:
    """Parts a bill by the models of a stack.

    Args:
        assumptions: Of the stack.
        weeks: What the replicas of each model do.
        lines: Infrastructure of the bill.
        bill: The bill.
    """
    models = assumptions.models
    nodes = _nodes(models, weeks)
    reserve = 1 + bill.contingency_share
    by_model = [[line for line in lines if line.model == model.model_name] for model in models]
    overflows = [
        monthly_of(line for line in own if line.driver in _BY_API)
        for own in (by_model if len(models) > 1 else [lines])
    ]
    others = [
        monthly_of(line for line in own if line.driver not in (Driver.NODES, *_BY_API)) * reserve
        for own in by_model
    ]
    own = [
        other + bill.node_monthly * to_decimal(mean) + overflow
        for other, mean, overflow in zip(others, nodes, overflows, strict=True)
    ]
    shared = bill.without_nodes_monthly - sum(others, Decimal(0))
    parts = [part / sum(own, Decimal(0)) if sum(own) else Decimal(1) / len(own) for part in own]
    fixed = [other + shared * part for other, part in zip(others, parts, strict=True)]
    whole = [one + shared * part for one, part in zip(own, parts, strict=True)]
    in_proportion = bill.total / sum(whole, Decimal(0)) if sum(whole) else Decimal(0)
    return tuple(
        ModelCost(
            assumptions=model,
            week=week,
            mean_nodes=nodes[number],
            busy_share=min(week.busy_share * week.mean_nodes / nodes[number], 1.0)
            if nodes[number]
            else 0.0,
            own=own[number],
            fixed=fixed[number],
            total=whole[number] * in_proportion,  # the contingency of a bill is a whole cent
            overflow=overflows[number],
            api_monthly=api_monthly(model.api_in_use, _alone(model)),
            hosted=cheapest_hosted(model),
        )
        for number, (model, week) in enumerate(zip(models, weeks, strict=True))
    )


def _alone(model: Assumptions) -> Assumptions:
    """Returns a model without the others: the first of a stack knows them."""
    return replace(model, others=())


def _nodes(models: Sequence[Assumptions], weeks: Sequence[FleetWeek]) -> list[float]:
    if models[0].fleet.fixed_nodes is None or len(models) == 1:
        return [week.mean_nodes for week in weeks]
    gpus = [
        model.fleet.highest * model.fleet.gpus_per_node / model.fleet.replicas_per_node
        for model in models
    ]
    return [models[0].fleet.fixed_nodes * part / sum(gpus) for part in gpus]
