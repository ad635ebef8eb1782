"""The part of a report's JSON form that says how well endpoints answered."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from pydantic import Field

from breakeven.cost.answers.solved import SolvedCost, solved_costs
from breakeven.cost.report import Report
from breakeven.reports.document.values import (
    Amount,
    AtLeastOne,
    Count,
    Day,
    Money,
    Name,
    Part,
    Quantity,
    Share,
)
from breakeven.reports.formatting import money, rate


class SolvedPart(Part):
    """What a solved task costs by one way to have tasks solved."""

    kind: Literal["own", "escalated", "api"] = Field(
        description="The own model, the own model with its failures answered again, or an API."
    )
    api: str | None = Field(description="The API; null for the own model alone.")
    answered: AtLeastOne = Field(description="Prompts that were answered.")
    passed: Count = Field(description="Of them, those whose answer passes all checks.")
    pass_rate: Share = Field(description="Tasks that are solved.")
    pass_rate_low: Share | None = Field(
        description="Lower end of its 95% interval by Wilson; null for an escalation."
    )
    pass_rate_high: Share | None = Field(description="Upper end.")
    output_tokens: Quantity = Field(description="Mean output of an answer.")
    latency_p95_seconds: Quantity = Field(description="Time to the whole answer.")
    escalated: Share = Field(description="Requests that the API answers again.")
    monthly: Money = Field(description="All requests, in USD monthly.")
    per_million_tokens: Amount = Field(description="The same per 1M tokens, in USD.")
    per_solved_task: Amount | None = Field(
        description="USD for one task that is solved; null where none is."
    )
    per_solved_task_low: Amount | None = Field(description="At the upper end of the interval.")
    per_solved_task_high: Amount | None = Field(
        description="At the lower end; null for without limit, and for an escalation."
    )


class QualityPart(Part):
    """An evaluation of the model and of APIs by the user's own prompts."""

    record: Name = Field(description="File in stacks/evaluations.")
    as_of: Day = Field(description="Day of the evaluation.")
    prompts: AtLeastOne = Field(description="Prompts of the file.")
    complete: bool = Field(description="Whether every endpoint answered all of them.")
    judge: str | None = Field(description="Model that judged; null for none.")
    solved: Sequence[SolvedPart] = Field(min_length=1, description="Each way to have them solved.")


def quality_part(report: Report) -> QualityPart | None:
    """Returns the part; None where nobody compared the quality."""
    quality, costs = report.assumptions.quality, solved_costs(report)
    if quality is None or not costs:
        return None
    return QualityPart(
        record=quality.record,
        as_of=quality.day,
        prompts=quality.prompts,
        complete=quality.complete,
        judge=quality.judge or None,
        solved=[_solved(each) for each in costs],
    )


def _solved(cost: SolvedCost) -> SolvedPart:
    return SolvedPart(
        kind=cost.kind,
        api=cost.api or None,
        answered=cost.quality.answered,
        passed=cost.quality.passed,
        pass_rate=round(cost.share, 4),
        pass_rate_low=cost.low,
        pass_rate_high=cost.high,
        output_tokens=round(cost.quality.output_tokens, 2),
        latency_p95_seconds=cost.quality.p95_seconds,
        escalated=round(cost.escalated, 4),
        monthly=money(cost.monthly),
        per_million_tokens=rate(cost.per_million_tokens),
        per_solved_task=_rate(cost.per_task),
        per_solved_task_low=_rate(cost.per_task_low),
        per_solved_task_high=_rate(cost.per_task_high),
    )


def _rate(value: Decimal | None) -> str | None:
    return None if value is None else rate(value)
