"""The load, and how fast answers have to be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Annotated

from pydantic import BeforeValidator, Field

from breakeven.counts import read_count
from breakeven.percentiles import PERCENTILES
from breakeven.settings.fields import Count, Entries, Form, Group, Integer, Number, refuse, shown
from breakeven.settings.files import TRAFFIC

_REUSE_SECONDS = 370
"""Of a chat service: 80 % of reuses come within ten minutes, 600 s / ln 5; of requests that
programs send, 80 % within ten seconds (Wang et al., arXiv 2506.02634, read 2026-11-30)."""

LONGEST = 10_000_000
"""Tokens; longer than any context window on offer."""

_SHAPE = r"[A-Za-z0-9][\w.-]{0,127}"


def _shape(text: str) -> str:
    if re.fullmatch(_SHAPE, text, re.ASCII) is None:
        raise ValueError(text)
    if text not in ("published", "flat") and not (TRAFFIC / text).is_file():
        raise ValueError(text)
    return text


def _percentiles(stated: Mapping[object, object]) -> Mapping[str, int]:
    """Refuses names that are no percentiles, and lengths that are not in order."""
    names = [str(name) for name in stated]
    unknown = [name for name in names if name not in PERCENTILES]
    if unknown:
        refuse(f"found {', '.join(unknown)}", f"Allowed: {', '.join(PERCENTILES)}")
    found = {name: _length(stated[name]) for name in PERCENTILES if name in stated}
    if found and not {"p50", "max"} <= found.keys():
        refuse(f"found {', '.join(names)}", "Allowed: p50 and max, and any of the others")
    for (name, length), (next_name, next_length) in pairwise(found.items()):
        if length > next_length:
            refuse(
                f"{name} is {length:,} and {next_name} is {next_length:,}",
                "Allowed: each at least as long as the one before",
            )
    return found


def _length(value: object) -> int:
    try:
        length = read_count(shown(value))
    except ValueError:
        length = LONGEST + 1
    if length > LONGEST:
        refuse(f"found {shown(value)}", f"Allowed: whole numbers of tokens, 0 to {LONGEST:,}")
    return length


Percentiles = Annotated[Mapping[str, int], BeforeValidator(_percentiles), Entries]
"""Lengths in tokens by name of percentile; empty where they are not known."""


class TrafficSettings(Group):
    """The load, and the latency objectives in seconds (95% of requests, 95% of tokens).

    Tokens per request are means; `cached_input_percent` is a share of the input. The percentiles
    are of single requests and independent of each other; their means are those of the tokens.
    """

    tokens_per_day: Count = Field(
        default=5_000_000,
        ge=1,
        le=10**15,
        description="Average input and output tokens per day, such as 60000000, 60M, or 5e7",
    )
    input_tokens: Count = Field(
        default=1024,
        ge=1,
        le=1_000_000,
        description="Average input tokens per request, including cached tokens",
    )
    output_tokens: Count = Field(
        default=256,
        ge=1,
        le=1_000_000,
        description="Average output tokens per request",
    )
    cached_input_percent: Integer = Field(
        default=0,
        ge=0,
        le=95,
        description="Share of input tokens that an unlimited prefix cache would hold, as APIs "
        "report it; the share that your replicas find depends on their number, their memory, and "
        "routing",
    )
    shared_prefix_tokens: Count = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Tokens at the beginning of every request, such as a system prompt: the part "
        "of cachedInputPercent that every replica finds, however many there are",
    )
    reuse_seconds: Integer = Field(
        default=_REUSE_SECONDS,
        ge=1,
        le=86_400,
        description="Mean seconds until a prefix is reused: minutes if people reply, seconds if "
        "programs do",
    )
    input_percentiles: Percentiles = Field(
        default={},
        description="Input tokens of requests by percentile (p10, p25, p50, p75, p90, p95, p99, "
        "max), as `breakeven traffic import` measures them; leave it out if unknown",
    )
    output_percentiles: Percentiles = Field(
        default={},
        description="Output tokens of requests by percentile, as inputPercentiles",
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
        description="Hours of a week: published (two weeks of a production service), flat, or a "
        "file in stacks/traffic/ with one relative rate per line",
    )
    burst_factor: Number = Field(
        default=Decimal("1.8"),
        ge=1,
        le=20,
        description="Peak minute of an hour divided by that hour's mean; capacity is sized for it",
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
