"""Reads times and counts as logs write them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import TypeGuard

from breakeven.traffic.errors import BadRowError

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC).timestamp()
"""Epoch seconds before which no log of a language model is; a time that is earlier is a mistake."""

LARGEST_REQUEST = 10_000_000
"""Tokens; above the longest context on offer, so a larger figure is not a single request."""

_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
"""An epoch below the first figure has that many units a second: s, ms, microseconds, ns."""

_LARGEST = 10**15
_NUMBER = re.compile(r"\d+(\.\d*)?")
_WHOLE = re.compile(r"(\d{1,15})(\.0*)?")
_ZONE = re.compile(r"\s+(?:UTC|GMT)$")
_MISSING = frozenset(
    {
        *("", "null", "none", "nan", "nil", "\\n"),
        # Envoy and nginx write a dash; spreadsheets and other exports write the rest.
        *("-", "--", "n/a", "na", "(null)", "<nil>", "<null>", "undefined", "(empty)"),
    }
)


class TimeReader:
    """Turns a log's timestamp into epoch seconds.

    Understands epoch seconds, milliseconds, microseconds and nanoseconds, told apart by size, and
    ISO 8601 with a space or `T`, any number of decimals, and an offset, `Z`, `UTC` or nothing.

    Args:
        zone: Of timestamps that name none.
        latest: Epoch seconds after which a time is a mistake.
    """

    def __init__(self, zone: tzinfo, latest: float) -> None:
        self._zone = zone
        self._latest = latest

    @property
    def zone(self) -> tzinfo:
        """Zone of timestamps that name none."""
        return self._zone

    def end(self, value: object) -> float:
        """Returns epoch seconds of the end of an interval, which may lie in the future.

        Raises:
            BadRowError: There is no time, it cannot be read, or it lies before 2015.
        """
        return TimeReader(self._zone, math.inf)(value)

    @property
    def latest(self) -> float:
        """Epoch seconds after which a time is a mistake."""
        return self._latest

    def __call__(self, value: object) -> float:
        """Returns epoch seconds.

        Raises:
            BadRowError: There is no time, it cannot be read, or it lies before 2015 or after now.
        """
        if missing(value):
            msg = "no time"
            raise BadRowError(msg)
        if isinstance(value, str):
            text = value.strip()
            moment = _epoch(float(text)) if _NUMBER.fullmatch(text) else self._written(text)
        elif _is_number(value):
            moment = _epoch(value)
        else:
            msg = "time not understood"
            raise BadRowError(msg)
        if not moment >= EARLIEST:
            msg = "time before 2015"
            raise BadRowError(msg)
        if moment > self._latest:
            msg = "time in the future"
            raise BadRowError(msg)
        return moment

    def _written(self, text: str) -> float:
        try:
            moment = datetime.fromisoformat(_ZONE.sub("Z", text))
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=self._zone)
            return moment.timestamp()
        except (ValueError, OverflowError):
            msg = "time not understood"
            raise BadRowError(msg) from None


def _epoch(number: float | Decimal) -> float:
    for limit, units in _UNITS:
        if number < limit:
            return float(number) / units
    msg = "time not understood"
    raise BadRowError(msg)


def missing(value: object) -> bool:
    """Tells whether a field is empty, as JSON, pandas, PostgreSQL or an access log write that."""
    if isinstance(value, str):
        return value.strip().lower() in _MISSING
    return value is None or (isinstance(value, float) and math.isnan(value))


def _is_number(value: object) -> TypeGuard[int | float | Decimal]:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def read_count(value: object, what: str) -> int | None:
    """Reads a whole number of 0 or more; None where the field is empty.

    Args:
        value: Field of a log; pandas writes whole numbers as `3.0`.
        what: Of what it is the count, for the reason.

    Raises:
        BadRowError: It is not such a number.
    """
    if isinstance(value, str) and (whole := _WHOLE.fullmatch(value.strip())):
        return int(whole[1])
    if missing(value):
        return None
    if _is_number(value) and 0 <= value < _LARGEST and value == int(value):
        return int(value)
    msg = f"{what} is not a whole number of 0 or more"
    raise BadRowError(msg)


def read_whole(value: object) -> int | None:
    """Reads a whole number of 0 or more; None for anything else."""
    try:
        return read_count(value, "")
    except BadRowError:
        return None


def read_usd(value: object) -> Decimal | None:
    """Reads an amount of money of 0 or more; None where there is none."""
    if missing(value) or isinstance(value, bool):
        return None
    try:
        amount = Decimal(str(value).strip().removeprefix("$"))
    except ArithmeticError:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def read_tokens(
    input_tokens: object, output_tokens: object, cached: object
) -> tuple[int, int, int | None]:
    """Reads input, output and cached tokens of a row; empty input or output counts as 0.

    Raises:
        BadRowError: One is not a count, or more input is cached than there is.
    """
    read = read_count(input_tokens, "input tokens") or 0
    written = read_count(output_tokens, "output tokens") or 0
    found = read_count(cached, "cached tokens")
    if found is not None and found > read:
        msg = "more cached than input tokens"
        raise BadRowError(msg)
    return read, written, found
