"""What `breakeven init` asks, and its error where no stack can be made of the answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from breakeven.catalog.models import ModelFacts
from breakeven.errors import UserError


class NewStackError(UserError):
    """No stack can be made of the answers."""


class Where(StrEnum):
    """Where the GPUs are."""

    AWS = "aws"
    AZURE = "azure"
    GCP = "gcp"
    OWN = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What `breakeven init` asks.

    Attributes:
        name: Of the stack.
        model: What to serve.
        revision: Commit of its weights; empty for one that a stack of this project serves.
        where: Where the GPUs are.
        region: Of the cloud; empty for the first of those whose machines the book prices.
        gpu: Its name; empty for the machine that serves the peak minute at the lowest price.
        tokens_per_day: Input and output tokens of a mean day.
        api: API that serves them now, as provider/model.
        data_may_leave: Whether prompts may go to an API.
        node_price: Of one own server with eight GPUs, in USD; None in a cloud.
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
