"""What all answers have in common."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from breakeven.reports.document.values import Money, Part

VERSION = 1

StackName: TypeAlias = Annotated[str, Field(min_length=1, description="Name of the stack.")]
OptionalMoney: TypeAlias = Money | None


class Document(Part):
    """An answer of a command."""

    version: int = Field(
        ge=VERSION,
        le=VERSION,
        description="Of this format; it rises when a field changes its meaning or is removed.",
    )
