"""The load, and how fast answers have to be."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from breakeven.settings.fields import Form, Group, Integer, Number
from breakeven.settings.files import TRAFFIC

_SHAPE = r"[A-Za-z0-9][\w.-]{0,127}"


def _shape(text: str) -> str:
    if re.fullmatch(_SHAPE, text, re.ASCII) is None:
        raise ValueError(text)
    if text not in ("published", "flat") and not (TRAFFIC / text).is_file():
        raise ValueError(text)
    return text


class TrafficSettings(Group):
    """The load, and the latency objectives in seconds (95% of requests, 95% of tokens).

    Tokens per request are means; `cached_input_percent` is a share of the input.
    """

    tokens_per_day: Integer = Field(
        default=5_000_000,
        ge=1,
        le=10**15,
        description="Input and output tokens of a mean day",
    )
    input_tokens: Integer = Field(
        default=1024,
        ge=1,
        le=1_000_000,
        description="Mean input tokens of a request, cached ones included",
    )
    output_tokens: Integer = Field(
        default=256,
        ge=1,
        le=1_000_000,
        description="Mean output tokens of a request",
    )
    cached_input_percent: Integer = Field(
        default=0,
        ge=0,
        le=95,
        description="Share of input tokens found in a prefix cache",
    )
    shape: Annotated[
        str,
        Form(
            _shape,
            allowed="published, flat, or the name of a file in stacks/traffic/",
            pattern=_SHAPE,
        ),
    ] = Field(
        default="published",
        description="Hours of a week: published (a production service's fortnight), flat, or "
        "a file in stacks/traffic/ with one relative rate a line",
    )
    burst_factor: Number = Field(
        default=Decimal("1.8"),
        ge=1,
        le=20,
        description="Peak minute of an hour over that hour's mean; capacity is provided for it",
    )
    time_to_first_token_seconds: Number = Field(
        default=Decimal("2.0"),
        ge=Decimal("0.05"),
        le=600,
        description="Objective for the time to the first token, for 95% of requests",
    )
    inter_token_latency_seconds: Number = Field(
        default=Decimal("0.1"),
        ge=Decimal("0.001"),
        le=60,
        description="Objective for the time from one token to the next, for 95% of tokens",
    )
