"""How far each input of an estimate may be off, in percent of what the stack states.

The defaults are this project's assumptions, except for capacity, whose band was measured; each can
be stated instead. Between its ends an input is distributed as a triangle with its peak at the
stack's own value (or at the end that is nearest to it): the plainest distribution with two ends and
a most likely value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LOWEST_PERCENT, HIGHEST_PERCENT = 1, 1000


@dataclass(frozen=True, slots=True)
class InputRange:
    """From where to where an input may lie.

    Attributes:
        low_percent: Lower end, in percent of the stack's own value, 1 or more.
        high_percent: Upper end, `low_percent` to 1,000.
    """

    low_percent: int
    high_percent: int

    def percents(self) -> range:
        """Returns every whole percent of the range, both ends included."""
        return range(self.low_percent, self.high_percent + 1)

    def sample(self, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turns uniform numbers into factors on the stack's own value.

        Args:
            uniform: Numbers between 0 and 1.
        """
        low, high = self.low_percent / 100, self.high_percent / 100
        width = high - low
        if width == 0:
            return np.full(uniform.shape, low)
        peak = min(max(1.0, low), high)
        rising = low + np.sqrt(uniform * width * (peak - low))
        falling = high - np.sqrt((1 - uniform) * width * (high - peak))
        return np.asarray(np.where(uniform < (peak - low) / width, rising, falling))


INPUTS = ("capacity", "tokens", "node-price", "engineer", "burst", "api-price")
"""All inputs that are varied."""

_DEFAULTS = {
    "tokens": InputRange(50, 150),  # a forecast of traffic is seldom closer than half
    "node-price": InputRange(90, 110),  # list prices moved by about this in the book's half year
    "engineer": InputRange(50, 150),  # published shares run from 10 to 30 percent
    "burst": InputRange(80, 150),  # 1.4 to 2.7 at the default of 1.8; published traces: 1.8 to 4.3
    "api-price": InputRange(70, 110),  # list prices of APIs fall more often than they rise
}


class RangeError(ValueError):
    """A stated range cannot be used.

    Attributes:
        found: What was stated.
        allowed: What would be accepted.
    """

    def __init__(self, found: str, allowed: str) -> None:
        self.found = found
        self.allowed = allowed
        super().__init__(f'found "{found}"; allowed: {allowed}')


def default_ranges(error_percent: float) -> dict[str, InputRange]:
    """Returns the range of every input.

    Args:
        error_percent: Half width of the capacity's band, in percent; rounded outwards.
    """
    error = math.ceil(error_percent)
    band = InputRange(max(LOWEST_PERCENT, 100 - error), 100 + error)
    return {name: _DEFAULTS.get(name, band) for name in INPUTS}


def parse_range(text: str) -> tuple[str, InputRange]:
    """Reads a range such as "tokens=50:200".

    Raises:
        RangeError: It is none.
    """
    name, _, ends = text.partition("=")
    if name not in INPUTS:
        raise RangeError(text, f"INPUT=LOW:HIGH with INPUT one of {', '.join(INPUTS)}")
    low, colon, high = ends.partition(":")
    if not colon or not _is_percent(low) or not _is_percent(high) or int(low) > int(high):
        raise RangeError(
            text,
            f"{name}=LOW:HIGH in whole percent of the stack's own value, {LOWEST_PERCENT} to "
            f"{HIGHEST_PERCENT}, low before high, such as {name}=80:120",
        )
    return name, InputRange(int(low), int(high))


def _is_percent(text: str) -> bool:
    if not text.isascii() or not text.isdigit() or len(text) > len(str(HIGHEST_PERCENT)):
        return False
    return LOWEST_PERCENT <= int(text) <= HIGHEST_PERCENT
