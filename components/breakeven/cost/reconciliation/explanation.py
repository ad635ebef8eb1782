"""The way from the planned monthly cost to what was charged, by assumption, to the cent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias, get_args

from breakeven.cost.bill.bill import Bill
from breakeven.cost.bill.candidate import CandidateCost
from breakeven.cost.reconciliation.parts import OtherPart, OutsideBill, Part

Cause: TypeAlias = Literal[
    "traffic",
    "capacity",
    "hours",
    "price",
    OtherPart,
    "people",
    "api",
    "contingency",
]
"""Which assumption a difference comes from; "hours" are node-hours that traffic and capacity do not
explain, "price" is that of a node-hour."""

_IN_ORDER: tuple[OtherPart, ...] = get_args(OtherPart)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The part of the difference that comes from one assumption.

    Attributes:
        cause: Which.
        monthly: USD per month that it adds; below 0 where it saves.
        observed: Whether what happened is known; where not, it counts as planned.
    """

    cause: Cause
    monthly: Decimal
    observed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """From the planned to the charged monthly cost. `planned` plus all steps is `charged`.

    Attributes:
        planned: Total of the estimate, fully loaded.
        steps: One for each assumption, in the order in which they were replaced.
        charged: The cloud's bill for a month, and people and API as observed or planned.
    """

    planned: Decimal
    steps: tuple[Step, ...]
    charged: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """An estimate with some assumptions replaced.

    Attributes:
        bill: Its sums.
        parts: Its infrastructure by part, with a candidate's.
        trial: What a candidate on trial costs; None without one.
    """

    bill: Bill
    parts: Mapping[Part | OutsideBill, Decimal]
    trial: CandidateCost | None = None

    @property
    def total(self) -> Decimal:
        """Everything counted."""
        return self.bill.total + (self.trial.monthly if self.trial else Decimal(0))

    @property
    def contingency(self) -> Decimal:
        """Reserve, to the cent."""
        return self.bill.contingency + (self.trial.contingency if self.trial else Decimal(0))

    @property
    def own(self) -> Decimal:
        """Everything but the contingency."""
        return self.total - self.contingency


@dataclass(frozen=True, slots=True, kw_only=True)
class Actual:
    """What happened, in USD per month, to the cent; None for what nobody observed.

    Attributes:
        parts: The cloud's bill by part.
        people: What people cost.
        api: What an API took for the traffic of this stack.
    """

    parts: Mapping[Part, Decimal]
    people: Decimal | None = None
    api: Decimal | None = None


def explain(
    *,
    planned: Stage,
    with_traffic: Stage | None,
    with_capacity: Stage | None,
    with_hours: Stage,
    actual: Actual,
) -> Explanation:
    """Parts the difference between plan and bill by assumption.

    The assumptions are replaced one after the other: traffic, capacity, node-hours, price of a
    node-hour, each further part of the bill, people, the API. Each stage is an estimate of its own,
    so that no difference is left over.

    Args:
        planned: As the stack file states it.
        with_traffic: With the observed traffic; None if it was not observed.
        with_capacity: With the observed capacity too; None if it was not observed.
        with_hours: With the charged node-hours too.
        actual: What happened.
    """
    traffic = with_traffic or planned
    capacity = with_capacity or traffic
    nodes = actual.parts.get("nodes")
    planned_nodes = with_hours.parts.get("nodes", Decimal(0))
    steps = [
        Step(
            cause="traffic",
            monthly=traffic.own - planned.own,
            observed=with_traffic is not None,
        ),
        Step(
            cause="capacity",
            monthly=capacity.own - traffic.own,
            observed=with_capacity is not None,
        ),
        Step(cause="hours", monthly=with_hours.own - capacity.own, observed=nodes is not None),
        Step(
            cause="price",
            monthly=Decimal(0) if nodes is None else nodes - planned_nodes,
            observed=nodes is not None,
        ),
    ]
    for part in _IN_ORDER:
        before = with_hours.parts.get(part, Decimal(0))
        after = actual.parts.get(part, Decimal(0))
        if before or after:
            steps.append(Step(cause=_CAUSES[part], monthly=after - before))
    bill = with_hours.bill
    for cause, before, seen in (
        ("people", bill.staffing_monthly, actual.people),
        ("api", bill.by_api_monthly, actual.api),
    ):
        if before or seen:
            after = before if seen is None else seen
            step = Step(cause=_CAUSES[cause], monthly=after - before, observed=seen is not None)
            steps.append(step)
    if planned.contingency:
        steps.append(Step(cause="contingency", monthly=-planned.contingency))
    return Explanation(
        planned=planned.total,
        steps=tuple(steps),
        charged=planned.total + sum((step.monthly for step in steps), Decimal(0)),
    )


_CAUSES: Mapping[str, Cause] = {
    **{part: part for part in _IN_ORDER},
    "people": "people",
    "api": "api",
}
