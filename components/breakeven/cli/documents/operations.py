"""Answers of `measure`, `evaluate`, `chargeback`, `reconcile`, and `review`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from breakeven.cli.documents.base import Document, OptionalMoney, StackName
from breakeven.cli.documents.comparisons import DiffPart
from breakeven.reports.document.quality import QualityPart
from breakeven.reports.document.values import (
    Amount,
    AtLeastOne,
    Count,
    Day,
    Money,
    Name,
    NumberAsText,
    Part,
    Quantity,
)


class PointPart(Part):
    """What one replica served with so many requests in flight at all times."""

    concurrency: AtLeastOne = Field(description="Requests in flight.")
    output_tokens_per_second: Quantity = Field(
        alias="output_tokens_per_second", description="Of all requests."
    )
    first_token_seconds: Quantity | None = Field(
        alias="first_token_seconds",
        description="To the first token, 95th percentile; null where not measured.",
    )
    inter_token_seconds: Quantity | None = Field(
        alias="inter_token_seconds",
        description="Between tokens, 95th percentile; null where not measured.",
    )
    requests: AtLeastOne = Field(description="That were completed.")
    failed: Count = Field(description="That failed.")


class MeasureDocument(Document):
    """A measurement, and what the estimate makes of it: `breakeven measure`."""

    record: Name = Field(description="File of the record.")
    points: Sequence[PointPart] = Field(description="By concurrency, as in the record.")
    used: bool = Field(description="Whether the estimate uses the record.")
    output_tokens_per_second_per_replica: Quantity = Field(description="That the estimate has now.")
    monthly_before: Money = Field(description="USD monthly before.")
    monthly: Money = Field(description="USD monthly now.")


class EvaluateDocument(Document):
    """An evaluation, and what a solved task costs: `breakeven evaluate`."""

    record: Name = Field(description="File of the record.")
    complete: bool = Field(description="Whether every endpoint answered every prompt.")
    spent: Amount = Field(description="USD for all requests.")
    quality: QualityPart | None = Field(
        description="What the estimate shows; null where the record does not count for it."
    )


class ChargePart(Part):
    """What one team pays for one model."""

    team: Name = Field(description="The team.")
    model: str = Field(description="The model; empty where the counters do not tell.")
    own_tokens: NumberAsText = Field(description="That own replicas served.")
    busy: Money = Field(description="For the capacity that it used, in USD monthly.")
    idle: Money = Field(description="For idle capacity.")
    other: Money = Field(description="For other infrastructure.")
    staffing: Money = Field(description="For staffing.")
    contingency: Money = Field(description="For contingency.")
    api: Money = Field(description="For APIs.")
    total: Money = Field(description="The sum.")


class ChargebackDocument(Document):
    """A statement for each team and model: `breakeven chargeback`."""

    stack: StackName
    rule: Name = Field(description="How what nobody uses is split: used, reserved or even.")
    currency: Literal["USD"] = Field(description="Currency of all money.")
    total: Money = Field(description="The whole bill; the statements add up to it.")
    statements: Sequence[ChargePart] = Field(description="By team and model.")


class FigurePart(Part):
    """One figure, planned and observed."""

    figure: Name = Field(description="What it is.")
    planned: NumberAsText | None = Field(description="In the estimate; null where it is private.")
    observed: NumberAsText = Field(description="What happened.")
    difference: NumberAsText | None = Field(description="Observed less planned.")
    effect_on_total: OptionalMoney = Field(
        description="On the monthly cost, in USD; null where it has none of its own."
    )


class TotalsPart(Part):
    """The monthly cost, planned and by what was observed."""

    planned: Money = Field(description="As estimated, in USD monthly.")
    with_observed_settings: Money = Field(description="With the observed settings.")
    with_observed_node_hours: Money = Field(description="With the observed node hours, too.")


class ObservedCost(Part):
    """What OpenCost observed."""

    covers: Name = Field(description="What is compared.")
    planned: Money = Field(description="As estimated, in USD monthly.")
    explained: Money = Field(description="What the observed figures explain.")
    observed: Money = Field(description="What was observed.")
    remainder: Money = Field(description="What stays unexplained.")


class StepPart(Part):
    """One assumption that was off."""

    assumption: Name = Field(description="Price, hours, capacity, traffic, people and so on.")
    monthly: Money = Field(description="What it adds, in USD monthly.")
    observed: bool = Field(description="Whether it was observed, or is what is left.")


class ExplanationPart(Part):
    """The way from the estimate to the bill; the steps add up to the cent."""

    planned: Money = Field(description="As estimated, in USD monthly.")
    steps: Sequence[StepPart] = Field(description="What was off.")
    charged: Money = Field(description="What was charged, in USD monthly.")


class ExportPart(Part):
    """An export of a bill that was read."""

    file: Name = Field(description="Its name.")
    format: Name = Field(description="Its format.")
    start: Name = Field(description="Begin of its time, ISO 8601.")
    end: Name = Field(description="End of its time, ISO 8601.")
    rows: Count = Field(description="Rows that were read.")
    selected_rows: Count = Field(description="Of them, those of the stack.")
    charged: Money = Field(description="Their sum, in USD.")


class ReconcileDocument(Document):
    """An estimate against what happened and what was charged: `breakeven reconcile`."""

    stack: StackName
    figures: Sequence[FigurePart] = Field(description="Each figure.")
    most_off: str | None = Field(description="The figure with the largest effect; null for none.")
    total: TotalsPart = Field(description="The monthly cost.")
    cost: ObservedCost | None = Field(description="Of OpenCost; null where it was not read.")
    explanation: ExplanationPart | None = Field(description="Of the bill; null without one.")
    exports: Sequence[ExportPart] = Field(description="Bills that were read.")
    settings: Mapping[str, Any] = Field(description="Settings that fit what was observed, by key.")


class SavingPart(Part):
    """Settings that would lower the bill."""

    settings: Mapping[str, Any] = Field(description="By key.")
    saving: Money = Field(description="USD monthly.")


class RetiringPart(Part):
    """An API that is or will be retired."""

    api: Name = Field(description="The API.")
    finding: Name = Field(description="What is known of it.")


class ReviewStep(Part):
    """One step of a review."""

    title: Name = Field(description="What was done.")
    answer: str = Field(description="Its result, in a sentence.")
    text: str = Field(description="The rest, as Markdown.")


class ReviewDocument(Document):
    """Whether a stack should still be hosted: `breakeven review`."""

    stack: StackName
    as_of: Day = Field(description="Day of the review.")
    choice: Name = Field(description="What is recommended.")
    answer: Name = Field(description="The answer, in sentences.")
    changed: DiffPart | None = Field(description="Since the last review; null without one.")
    levers: Sequence[SavingPart] = Field(description="What would lower the bill now.")
    retiring: Sequence[RetiringPart] = Field(description="APIs that are or will be retired.")
    steps: Sequence[ReviewStep] = Field(description="What was done, in order.")
    written: Sequence[str] = Field(description="Files that were written.")
