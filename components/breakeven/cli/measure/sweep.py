"""Raises the concurrency step by step until an objective is missed or the replica is full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from breakeven.cost.capacity.objectives import Objectives
from breakeven.measurements.guidellm import START_SECONDS, Load
from breakeven.measurements.record import Point
from breakeven.measurements.results import Result, read_results

_FULL = 1.03
"""A doubled concurrency that serves less than so much more finds a replica that is full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a sweep will do at most.

    Attributes:
        load: What is sent.
        steps: Concurrencies, lowest first.
        usd_per_hour: What the replica costs meanwhile; None where it is not known.
    """

    load: Load
    steps: tuple[int, ...]
    usd_per_hour: Decimal | None

    @property
    def minutes(self) -> float:
        """How long all steps take, with the start of guidellm."""
        return len(self.steps) * (self.load.seconds + START_SECONDS) / 60

    @property
    def usd(self) -> Decimal | None:
        """What the replica costs in that time."""
        if self.usd_per_hour is None:
            return None
        return self.usd_per_hour * Decimal(str(self.minutes)) / 60


def steps_up_to(most: int) -> tuple[int, ...]:
    """Returns concurrencies from 1, doubled, to what the replica holds or aims at."""
    doubled = [1 << power for power in range(most.bit_length())]
    return (*(step for step in doubled if step < most), most)


Run: TypeAlias = Callable[[Load, int, Path], None]
"""Holds one concurrency of a load, and writes guidellm's result to a file, whole or not at all."""


def sweep(
    plan: Plan,
    *,
    run: Run,
    folder: Path,
    objectives: Objectives,
    has_time: Callable[[float], bool],
) -> Iterator[tuple[Result, str]]:
    """Yields each step's result, and why it is the last; a step that is there already is kept.

    Args:
        plan: What to do.
        run: Runs one step.
        folder: Where results of steps are kept, so that a run can go on.
        objectives: Latencies to keep.
        has_time: Tells whether so many seconds more are within the budget.

    Raises:
        LoadError: A step gives no result.
        ResultError: A result can't be used.
    """
    before: Point | None = None
    for step in plan.steps:
        path = folder / f"concurrency-{step}.json"
        if not path.is_file():
            if not has_time(plan.load.seconds + START_SECONDS):
                return
            run(plan.load, step, path)
        [result] = read_results(path.read_text(encoding="utf-8"), str(path))
        ending = _ending(result.point, before, objectives)
        yield result, ending
        if ending:
            return
        before = result.point


def _ending(point: Point, before: Point | None, objectives: Objectives) -> str:
    first, between = point.first_token_seconds, point.inter_token_seconds
    if first is not None and first > objectives.first_token_seconds:
        return f"time to first token {first:.2f} s is above {objectives.first_token_seconds:g} s"
    if between is not None and between > objectives.inter_token_seconds:
        return f"time between tokens {between:.3f} s is above {objectives.inter_token_seconds:g} s"
    if before is not None and (
        point.output_tokens_per_second < _FULL * before.output_tokens_per_second
    ):
        return "the replica is full"
    return ""
