"""The JSON form of a report: what writes it, reads it back and describes it in a schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from breakeven.reports.document.candidate import CandidatePart
from breakeven.reports.document.parts import (
    ApiCore,
    ApiPart,
    AvailabilityPart,
    BreakEvenCore,
    BreakEvenPart,
    HybridPart,
    LeverPart,
    ModelPart,
    OutlookPart,
    RecommendationCore,
    RecommendationPart,
    SelfHostedCore,
    SelfHostedPart,
    ShortfallPart,
    ShownCurrencyPart,
    SimulatedPart,
    StaffingGuidancePart,
    StartsPart,
)
from breakeven.reports.document.quality import QualityPart
from breakeven.reports.document.values import AtLeastOne, Money, Name, Part

VERSION = 1


class ReportCore(Part):
    """What a comparison needs of a report."""

    self_hosted: SelfHostedCore = Field(description="What the stack costs.")
    api: ApiCore = Field(description="The API that serves this traffic now.")
    hosted: Sequence[ApiCore] = Field(
        description="The same open model hosted by others, cheapest first."
    )
    break_even: Sequence[BreakEvenCore] = Field(
        description="Against the API in use, and against the cheapest offer of the same model."
    )
    recommendation: RecommendationCore = Field(description="What to do, and why.")


class ReportDocument(ReportCore):
    """What a stack costs, compared with what the same traffic costs by API."""

    version: int = Field(
        ge=VERSION,
        le=VERSION,
        description="Of this format; it rises when a field changes its meaning or is removed.",
    )
    self_hosted: SelfHostedPart = Field(description="What the stack costs.")
    api: ApiPart = Field(description="The API that serves this traffic now.")
    hosted: Sequence[ApiPart] = Field(
        description="The same open model hosted by others, cheapest first."
    )
    break_even: Sequence[BreakEvenPart] = Field(
        min_length=1,
        description="Against the API in use, and against the cheapest offer of the same model.",
    )
    recommendation: RecommendationPart = Field(description="What to do, and why.")
    currency: Literal["USD"] = Field(description="Currency of all money.")
    month: str = Field(
        pattern="^(730 hours|30 days)$",
        description="How long a month is, for infrastructure and traffic alike.",
    )
    tokens_per_day: AtLeastOne = Field(description="Input and output tokens of a mean day.")
    budget_per_month: Money | None = Field(
        description="USD monthly that self-hosting may cost; null for no limit."
    )
    staffing_guidance: StaffingGuidancePart = Field(
        description="The stated share of an engineer, compared with assumptions of this project."
    )
    simulated: SimulatedPart = Field(
        description="The week of the stack, simulated in steps of the autoscaler's polling; "
        "`breakeven simulate` shows more."
    )
    starts: StartsPart = Field(description="What starts of nodes and replicas cost.")
    outlook: OutlookPart | None = Field(
        description="Beyond one month: set where the stack states a one-off cost or a horizon."
    )
    availability: AvailabilityPart | None = Field(
        description="Set where the stack states replicas.availabilityPercent."
    )
    quality: QualityPart | None = Field(
        description="How well the model and APIs answered the user's own prompts, and what a "
        "solved task costs; null: quality was not compared."
    )
    shown_currency: ShownCurrencyPart | None = Field(
        description="Set where the stack states pricing.currency; all other money is in USD."
    )
    models: Sequence[ModelPart] = Field(
        min_length=1,
        description="What each model of the stack costs, in the order of the stack file.",
    )
    hybrid: HybridPart | None = Field(
        description="The cheapest split between own GPUs and an API; null for several models, and "
        "where prompts must stay inside."
    )
    shortfall: ShortfallPart | None = Field(
        description="Set where the configured fleet does not serve all requests in time: self-"
        "hosting is then compared at the size that does."
    )
    levers: Sequence[LeverPart] | None = Field(
        max_length=8,
        description="What would lower the bill, largest saving first, each estimated alone; null "
        "where nobody asked.",
    )
    candidates: Sequence[CandidatePart] = Field(
        description="Candidates on trial next to their models. Nothing else in the report counts "
        "them."
    )
    notes: Sequence[Name] = Field(
        description="What a reader has to know about the figures, and the sources of the prices."
    )
