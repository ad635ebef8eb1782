"""Days that a stack states."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from breakeven.settings.fields import Form


def _day(text: str) -> date:
    return date.fromisoformat(text)


Day = Annotated[
    date | None,
    Form(
        _day,
        allowed="a day such as 2025-03-31",
        pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
        empty=None,
    ),
]
