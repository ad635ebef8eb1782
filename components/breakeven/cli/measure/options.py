"""The options of a measurement, and its error."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.cli.measure.sweep import Run
from breakeven.errors import UserError


class MeasureError(UserError):
    """Nothing was measured, or the results cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How to measure: what runs a step, and the options of `breakeven measure`."""

    run: Run
    target: str
    model: str | None
    tokenizer: str | None
    minutes: float
    budget: float | None
    seconds: int
    most: int | None
    assume: bool
