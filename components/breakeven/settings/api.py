"""The API in use today, and other APIs that serve the same model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from breakeven.catalog.api_offers import REGIONS
from breakeven.settings.fields import (
    ApiReference,
    Conflict,
    Entries,
    Group,
    List,
    OptionalNumber,
    one_of,
)

_TokenPrice = Annotated[OptionalNumber, Field(ge=0, le=100_000)]


class ApiTerms(Group):
    """Your own terms with an API. Prices in USD per 1M tokens."""

    input: _TokenPrice = Field(
        default=None, description="Your price of input tokens, USD per 1M; empty for the list price"
    )
    cached_input: _TokenPrice = Field(
        default=None,
        description="Your price of input tokens read from the provider's cache, USD per 1M; empty"
        " for your price of input tokens, or the list price where you state none",
    )
    output: _TokenPrice = Field(
        default=None,
        description="Your price of output tokens, USD per 1M; empty for the list price",
    )

    @property
    def states_tokens(self) -> bool:
        """Whether no list price is needed."""
        return self.input is not None and self.output is not None


class ApiSettings(Group):
    """The API in use today, and other APIs that serve the same model."""

    in_use: ApiReference = Field(
        default="openai/gpt-5.6-luna",
        description="API that serves this traffic now, as provider/model of genai-prices",
    )
    hosted: Annotated[tuple[ApiReference, ...], List] = Field(
        default=(),
        description="Offers of the same open model, as provider/model; empty takes those that"
        " the model table knows",
    )
    regions: Annotated[tuple[Annotated[str, one_of(lambda: REGIONS)], ...], List] = Field(
        default=(),
        description="Where an API may process your requests, such as [eu]; an offer elsewhere, or"
        " in an unknown place, is shown but never decides. Empty for anywhere",
    )
    terms: Annotated[Mapping[ApiReference, ApiTerms], Entries] = Field(
        default={},
        description="Your own terms by API, such as a contract price. An API whose input and"
        " output you price here may have any name, such as article/api",
    )

    def conflicts(self) -> Iterator[Conflict]:
        """Yields half of a contract price."""
        for reference, terms in self.terms.items():
            if (terms.input is None) != (terms.output is None):
                stated, other = ("output", "input") if terms.input is None else ("input", "output")
                yield Conflict(
                    f"api.terms.{reference}.{other}",
                    f"not stated, with {stated} stated",
                    "Needed: the prices of input and output tokens of the same contract",
                )
