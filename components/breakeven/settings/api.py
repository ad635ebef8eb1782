"""The API in use today, and other APIs that serve the same model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from breakeven.catalog.apis.offers import REGIONS
from breakeven.settings.fields import (
    ApiReference,
    Conflict,
    Count,
    Entries,
    Group,
    Integer,
    List,
    Number,
    OptionalApiReference,
    OptionalNumber,
    matching,
    one_of,
)

_Percent = Annotated[Number, Field(ge=0, le=100)]
_MonthlyPrice = Annotated[Number, Field(ge=0, le=Decimal("1e9"))]


class ProvisionedSettings(Group):
    """Capacity of an API that is paid by the unit, whether it is used or not."""

    units: Integer = Field(
        default=0, ge=0, le=1_000_000, description="Units that you pay for; 0 for none"
    )
    unit_price_per_month: _MonthlyPrice = Field(
        default=Decimal(0), description="USD/month for one unit, at your commitment"
    )
    tokens_per_minute_per_unit: OptionalNumber = Field(
        default=None,
        gt=0,
        le=Decimal("1e12"),
        description="Input and output tokens per minute of your traffic that one unit serves; the "
        "excess is paid per token. Empty if the units serve everything",
    )
    commitment_months: Integer = Field(
        default=1, ge=1, le=120, description="Months for which the units are committed"
    )


class ApiTerms(Group):
    """Your own terms with an API. Prices in USD per 1M tokens."""

    input: OptionalNumber = Field(
        default=None,
        ge=0,
        le=100_000,
        description="Your price of input tokens, USD per 1M; empty for the list price",
    )
    cached_input: OptionalNumber = Field(
        default=None,
        ge=0,
        le=100_000,
        description="Your price of input tokens read from the provider's cache, USD per 1M; empty "
        "for your price of input tokens, or the list price if you state none",
    )
    cache_write: OptionalNumber = Field(
        default=None,
        ge=0,
        le=100_000,
        description="Your price of input tokens written to that cache, USD per 1M; empty for the "
        "list price, or that of input tokens if unknown",
    )
    output: OptionalNumber = Field(
        default=None,
        ge=0,
        le=100_000,
        description="Your price of output tokens, USD per 1M; empty for the list price",
    )
    batch_input: OptionalNumber = Field(
        default=None,
        ge=0,
        le=100_000,
        description="Your batch API price of input tokens, USD per 1M; empty for the list price",
    )
    batch_output: OptionalNumber = Field(
        default=None,
        ge=0,
        le=100_000,
        description="Your batch API price of output tokens, USD per 1M; empty for the list price",
    )
    per_request: OptionalNumber = Field(
        default=None,
        ge=0,
        le=10_000,
        description="USD per request, instead of prices per token",
    )
    per_month: OptionalNumber = Field(
        default=None,
        ge=0,
        le=Decimal("1e9"),
        description="USD/month that you pay at any volume. Stated alone, it covers everything; "
        "otherwise usage is charged on top",
    )
    discount_percent: _Percent = Field(
        default=Decimal(0), description="Your discount on list prices, in percent"
    )
    region: Annotated[str, matching("|".join(REGIONS), ", ".join(REGIONS), empty="")] = Field(
        default="",
        description="Region in which this API processes your requests according to your contract, "
        "such as eu; empty to use the sources",
    )
    provisioned: ProvisionedSettings = Field(
        default=ProvisionedSettings(), description="Provisioned throughput of this API"
    )

    @property
    def is_flat(self) -> bool:
        """Whether the fee of a month pays for everything: nothing else is stated."""
        others = self.model_fields_set - {"per_month"}
        return self.per_month is not None and not others


class EscalationSettings(Group):
    """Requests that this stack's model answers not well enough, and an API answers again."""

    percent: _Percent = Field(
        default=Decimal(0),
        description="Share of requests (%) that an API must answer again, because this model is "
        "not good enough for them",
    )
    api: OptionalApiReference = Field(
        default="", description="API that answers them, as provider/model; empty for api.inUse"
    )
    input_tokens: Annotated[Count, Field(ge=0, le=1_000_000)] = Field(
        default=0, description="Its mean input tokens for such a request; 0 for traffic.inputTokens"
    )
    output_tokens: Annotated[Count, Field(ge=0, le=1_000_000)] = Field(
        default=0,
        description="Its mean output tokens for such a request; 0 for traffic.outputTokens",
    )


class ApiSettings(Group):
    """The API in use today, and other APIs that serve the same model."""

    in_use: ApiReference = Field(
        default="openai/gpt-5.6-luna",
        description="API that serves this traffic now, as provider/model of genai-prices",
    )
    shares: Annotated[Mapping[ApiReference, _Percent], Entries] = Field(
        default={},
        description="If several APIs serve this traffic now: percent of requests by API, including "
        "api.inUse, adding up to 100. Empty if api.inUse serves all",
    )
    hosted: Annotated[tuple[ApiReference, ...], List] = Field(
        default=(),
        description="Offers of the same open model, as provider/model; empty for those in the "
        "model table",
    )
    regions: Annotated[tuple[Annotated[str, one_of(lambda: REGIONS)], ...], List] = Field(
        default=(),
        description="Regions in which an API may process your requests, such as [eu]; offers in "
        "other or unknown regions are shown but excluded. Empty for anywhere",
    )
    terms: Annotated[Mapping[ApiReference, ApiTerms], Entries] = Field(
        default={},
        description="Your own terms by API, such as a contract price. An API that you price here "
        "per token, request, or month may have any name, such as article/api",
    )
    batch_percent: _Percent = Field(
        default=Decimal(0),
        description="Share of requests that can wait for a batch API; priced at the batch price "
        "if the API has one",
    )
    cache_write_percent: _Percent = Field(
        default=Decimal(0),
        description="Share of input tokens that the provider writes to its cache; some charge more"
        " for them",
    )
    own_output_percent: Annotated[Number, Field(ge=1, le=10_000)] = Field(
        default=Decimal(100),
        description="Output tokens of this stack's model, in percent of those of the API in use "
        "(traffic.outputTokens): above 100 if its answers are longer, as with reasoning "
        "models",
    )
    escalation: EscalationSettings = Field(
        default=EscalationSettings(),
        description="The cost of answers that are not good enough, because an API must answer "
        "again",
    )

    def conflicts(self) -> Iterator[Conflict]:
        """Yields shares that do not add up, and half of a contract price."""
        if self.shares:
            total = sum(self.shares.values())
            if total != 100:  # noqa: PLR2004  # percent
                yield Conflict(
                    "api.shares", f"{total} percent in total", "Allowed: shares that add up to 100"
                )
            elif self.in_use not in self.shares:
                yield Conflict(
                    "api.inUse",
                    f"{self.in_use}, which is not in api.shares",
                    f"Allowed: {', '.join(self.shares)}",
                    ("api.shares",),
                )
        for reference, terms in self.terms.items():
            yield from _halves(reference, terms)


def _halves(reference: str, terms: ApiTerms) -> Iterator[Conflict]:
    pairs = (
        ("input", terms.input, "output", terms.output),
        ("batchInput", terms.batch_input, "batchOutput", terms.batch_output),
    )
    for first, one, second, other in pairs:
        if (one is None) != (other is None):
            missing, stated = (first, second) if one is None else (second, first)
            yield Conflict(
                f"api.terms.{reference}.{missing}",
                f"not stated, with {stated} stated",
                "Needed: the prices of input and output tokens of the same contract",
            )
    if terms.per_request is not None and terms.input is not None:
        yield Conflict(
            f"api.terms.{reference}.perRequest",
            "stated together with prices per token",
            "Allowed: either perRequest, or input and output",
        )
