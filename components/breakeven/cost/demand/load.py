"""The traffic: how many requests come in each hour of a week, and how long they are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.calendar import Calendar

SECONDS_PER_DAY = 86_400

Unit: TypeAlias = Literal["request", "text", "pair"]

FLAT = "flat"
"""`shape_source` of a week in which every hour is alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Mean traffic and its shape.

    Attributes:
        tokens_per_day: Input and output tokens of a mean day, more than 0.
        input_tokens: Mean input tokens of a request, including cached ones, 1 or more.
        output_tokens: Mean output tokens of a request, 1 or more; 0 if texts are only read.
        cached_input_share: Share of the input found in a prefix cache, 0 to 1.
        shape: Request rate of each hour over the mean of all; mean 1.
        shape_source: Where the shape comes from: `FLAT`, a file, or a publication.
        burst_factor: Peak minute of an hour over that hour's mean, 1 or more.
        own_output_ratio: Output tokens of the stack's own model over `output_tokens`, which are
            those of the traffic as measured; more than 0.
        input_lengths: Input tokens of prompts of equal weight over their mean, in rising order.
        lengths_source: Where they come from.
        unit: What a request is: a request for an answer; a text of which a vector is made; or a
            pair of texts that gets a score.
    """

    tokens_per_day: int
    input_tokens: int
    output_tokens: int
    cached_input_share: float
    shape: tuple[float, ...]
    shape_source: str
    burst_factor: float
    own_output_ratio: float = 1.0
    input_lengths: tuple[float, ...] = (1.0,)
    lengths_source: str = ""
    unit: Unit = "request"

    @property
    def own_output_tokens(self) -> int:
        """Output tokens of a mean request where the stack's own model answers it.

        1 or more; 0 if texts are only read.
        """
        if not self.output_tokens:
            return 0
        return max(1, round(self.output_tokens * self.own_output_ratio))

    @property
    def steps(self) -> int:
        """Steps of the engine that a request takes after its prompt, or 1 for a text only read."""
        return max(1, self.own_output_tokens)

    @property
    def tokens_per_request(self) -> int:
        """Input and output tokens of a mean request."""
        return self.input_tokens + self.output_tokens

    @property
    def cached_input_tokens(self) -> int:
        """Input tokens of a mean request that a prefix cache holds."""
        return round(self.input_tokens * self.cached_input_share)

    @property
    def requests_per_day(self) -> Decimal:
        """Requests of a mean day."""
        return Decimal(self.tokens_per_day) / self.tokens_per_request

    def tokens_per_month(self, calendar: Calendar) -> Decimal:
        """Returns input and output tokens of a month."""
        return Decimal(self.tokens_per_day) * calendar.days_per_month

    def requests_per_second(self) -> NDArray[np.float64]:
        """Returns the mean request rate of each hour of the shape, in requests per second."""
        return np.asarray(self.shape) * (float(self.requests_per_day) / SECONDS_PER_DAY)


def flat_shape() -> tuple[float, ...]:
    """Returns a week in which every hour is alike."""
    return (1.0,) * 168


@cache
def published_shape() -> tuple[tuple[float, ...], str]:
    """Returns the hourly shape of a production service over a fortnight, and its source.

    Its busiest hour has 2.06 times the mean, its quietest 0.21 times.
    """
    data = resources.files("breakeven.catalog") / "data"
    text = (data / "load_shape.json").read_text(encoding="utf-8")
    data = json.loads(text)
    return normalised(data["hours"]), data["source"]


def read_shape(path: Path) -> tuple[float, ...]:
    """Reads a shape from a file with one relative request rate a line; `#` starts a comment.

    Raises:
        ValueError: A line is not a number of 0 or more, all are 0, the lines are not whole days, or
            the file cannot be read.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        msg = f"cannot be read: {reason}"
        raise ValueError(msg) from None
    rates: list[float] = []
    for number, line in enumerate(content.splitlines(), start=1):
        text = line.split("#", 1)[0].strip()
        if not text:
            continue
        try:
            rate = float(text)
        except ValueError:
            rate = -1.0
        if not 0 <= rate < float("inf"):
            msg = f'line {number}: found "{text}"; allowed: a rate of 0 or more'
            raise ValueError(msg)
        rates.append(rate)
    if not rates or len(rates) % 24 or not any(rates):
        msg = f"found {len(rates)} hours; allowed: whole days of 24 lines, not all of them 0"
        raise ValueError(msg)
    return normalised(rates)


def normalised(rates: Iterable[float]) -> tuple[float, ...]:
    """Divides rates by their mean; one of them at least is more than 0."""
    values = np.asarray(tuple(rates), dtype=np.float64)
    relative = values / values.max()  # so that a sum of very large or small rates stays a number
    return tuple((relative / relative.mean()).tolist())
