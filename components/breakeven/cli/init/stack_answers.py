"""The answers for `breakeven init`, and its error if they do not make a valid stack."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from breakeven.catalog.models import ModelFacts
from breakeven.errors import UserError
from breakeven.settings.traffic import TrafficSettings

LONGEST_REQUEST = 8192
"""Tokens of the longest request if requests are short."""


class NewStackError(UserError):
    """The answers do not make a valid stack."""


class Where(StrEnum):
    """Where the GPUs are."""

    AWS = "aws"
    AZURE = "azure"
    GCP = "gcp"
    OWN = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers for `breakeven init`.

    Attributes:
        name: Of the stack.
        model: What to serve.
        revision: Commit of its weights; empty for that of another stack.
        where: Where the GPUs are.
        region: Of the cloud; empty for the first region with prices.
        gpu: GPU name; empty for the machine that serves the peak minute at the lowest price.
        tokens_per_day: Input and output tokens of a mean day.
        api: API that serves them now, as provider/model.
        data_may_leave: Whether prompts can be sent to an API.
        node_price: Of one own server with eight GPUs, in USD; None in a cloud.
        input_tokens: Mean input of a request, in tokens.
        output_tokens: Mean output of a request, in tokens.
        cached_input_percent: Share of input tokens read from the prefix cache.
    """

    name: str
    model: ModelFacts
    revision: str
    where: Where
    region: str
    gpu: str
    tokens_per_day: int
    api: str
    data_may_leave: bool
    node_price: int | None
    input_tokens: int = TrafficSettings().input_tokens
    output_tokens: int = TrafficSettings().output_tokens
    cached_input_percent: int = TrafficSettings().cached_input_percent

    @property
    def max_length(self) -> int:
        """Tokens of the longest request: 8,000, or four times the mean request if that is more.

        A model with a shorter context has its own limit.
        """
        mean = self.input_tokens + self.output_tokens
        length = max(LONGEST_REQUEST, 4 * mean)
        return min(length, self.model.max_model_length)
