"""Relative times, which count from the start of a trace, as in published traces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum

from breakeven.traffic.errors import BadRowError, TrafficError
from breakeven.traffic.values import EARLIEST, missing

FIRST_ROWS = 200
"""Number of rows that determine whether times are relative; one odd row must not decide."""

_DAY = 86_400
_LARGEST = 10**12


class TimeUnit(StrEnum):
    """Unit of relative times."""

    SECONDS = "s"
    MILLISECONDS = "ms"

    @property
    def seconds(self) -> float:
        """Seconds in one unit."""
        return 1.0 if self is TimeUnit.SECONDS else 0.001


class Clock(StrEnum):
    """What is known about time 0 of a log.

    KNOWN: its date and time, or the log's times are absolute. MIDNIGHT: the time of day, not the
    day. UNKNOWN: nothing.
    """

    KNOWN = "known"
    MIDNIGHT = "midnight"
    UNKNOWN = "unknown"


def is_relative(values: Iterable[object]) -> bool:
    """Tells whether times are relative: as epoch seconds, most would be before 2015."""
    numbers = [number for value in values if (number := _number(value)) is not None]
    return sum(0 <= number < EARLIEST for number in numbers) * 2 > len(numbers)


@dataclass(slots=True)
class RelativeTimes:
    """Converts relative times to epoch seconds.

    Attributes:
        unit: Of the times; None if the log does not state it.
        start: Time 0, in epoch seconds.
        latest: Epoch seconds after which a time is a mistake.
    """

    unit: TimeUnit | None
    start: float
    latest: float
    _first: float = float("inf")
    _last: float = float("-inf")
    _fraction: bool = False

    def __call__(self, value: object) -> float:
        """Returns epoch seconds.

        Raises:
            BadRowError: The time is missing, not a number of 0 or more, or in the future.
        """
        if missing(value):
            msg = "no time"
            raise BadRowError(msg)
        number = _number(value)
        if number is None or not 0 <= number < _LARGEST:
            msg = "time not understood"
            raise BadRowError(msg)
        self._first, self._last = min(self._first, number), max(self._last, number)
        unit = self.unit or TimeUnit.SECONDS
        moment = self.start + number * unit.seconds
        if self.unit is not None and moment > self.latest:
            msg = "time in the future"
            raise BadRowError(msg)
        return moment

    def finish(self, name: str) -> None:
        """Checks, after a log was read, that the unit of its times is known.

        Raises:
            TrafficError: It is not.
        """
        if self.unit is not None or self._last < self._first:
            return
        span = self._last - self._first
        msg = (
            f"{name}: the log has relative times of unknown unit: {_span(span)} if seconds, "
            f"{_span(span / 1000)} if milliseconds. State the unit: --time-unit s or --time-unit ms"
        )
        raise TrafficError(msg)


def unit_of(column: str, values: Iterable[object]) -> TimeUnit | None:
    """Returns the unit of relative times, from the column's name or from fractions.

    Args:
        column: Name of the column.
        values: Its first values. Fractions are of seconds: milliseconds come as whole numbers.
    """
    ending = column.lower().replace("-", "_").rstrip(")]").replace("(", "_").replace("[", "_")
    words = ending.replace(" ", "_").split("_")
    if words[-1] in ("ms", "millis", "milliseconds", "msec"):
        return TimeUnit.MILLISECONDS
    if words[-1] in ("s", "sec", "secs", "seconds"):
        return TimeUnit.SECONDS
    numbers = [number for value in values if (number := _number(value)) is not None]
    fractions = sum(number != int(number) for number in numbers)
    return TimeUnit.SECONDS if fractions * 2 > len(numbers) else None


def unknown_start(zone: tzinfo) -> float:
    """Returns a time to use as time 0 if it is unknown: midnight of a Monday."""
    return datetime(2024, 1, 1, tzinfo=zone).timestamp()


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        return float(value)
    if not isinstance(value, str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) < _LARGEST * _LARGEST else None


def _span(seconds: float) -> str:
    if seconds >= _DAY:
        return f"{seconds / _DAY:,.1f} days"
    return str(timedelta(seconds=round(seconds))) + " hours" if seconds >= 1 else f"{seconds:.3f} s"
