"""The API in use today, and other APIs that serve the same model."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from breakeven.settings.fields import ApiReference, Group, List


class ApiSettings(Group):
    """The API in use today, and other APIs that serve the same model."""

    in_use: ApiReference = Field(
        default="openai/gpt-4.1-mini",
        description="API that serves this traffic now, as provider/model of genai-prices",
    )
    hosted: Annotated[tuple[ApiReference, ...], List] = Field(
        default=(),
        description="Offers of the same open model, as provider/model; empty takes those that"
        " the model table knows",
    )
