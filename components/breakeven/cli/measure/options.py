"""What the command line asks for, and what stops the command."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.cli.measure.sweep import Run
from breakeven.errors import UserError


class MeasureError(UserError):
    """Nothing was measured, or what was measured can't be used."""


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
