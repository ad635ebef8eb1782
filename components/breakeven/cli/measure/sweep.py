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
"""If doubling the concurrency raises throughput by less than this factor, the replica is full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The plan of a sweep, which can end earlier.

    Attributes:
        load: What is sent.
        steps: Concurrencies, lowest first.
        usd_per_hour: Cost of the replica; None if unknown.
    """

    load: Load
    steps: tuple[int, ...]
    usd_per_hour: Decimal | None

    @property
    def minutes(self) -> float:
        """Duration of all steps, including the start of guidellm."""
        return len(self.steps) * (self.load.seconds + START_SECONDS) / 60

    @property
    def usd(self) -> Decimal | None:
        """Cost of the replica during that time."""
        if self.usd_per_hour is None:
            return None
        return self.usd_per_hour * Decimal(str(self.minutes)) / 60


def steps_up_to(most: int) -> tuple[int, ...]:
    """Returns concurrencies from 1, doubled up to the replica's capacity or target."""
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
    """Yields each step's result, and why it is the last; finished steps are not repeated.

    Args:
        plan: The plan.
        run: Runs one step.
        folder: Folder of the steps' results, so that a run can continue.
        objectives: Latency limits.
        has_time: Tells whether this many more seconds are within the budget.

    Raises:
        LoadError: A step has no result.
        ResultError: A result is invalid.
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
        return f"TTFT {first:.2f} s is above {objectives.first_token_seconds:g} s"
    if between is not None and between > objectives.inter_token_seconds:
        return f"ITL {between:.3f} s is above {objectives.inter_token_seconds:g} s"
    if before is not None and (
        point.output_tokens_per_second < _FULL * before.output_tokens_per_second
    ):
        return "the replica is full"
    return ""
