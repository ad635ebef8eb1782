"""Shares that were counted, and how sure they are."""

from __future__ import annotations

import math

_Z = 1.959964
"""Standard deviations within which 95% of a normal distribution lie."""


def wilson_interval(passed: int, tried: int) -> tuple[float, float]:
    """Returns the 95% interval of a share, by Wilson's score.

    It stays within 0 and 1 and is right for few tries and for shares near an end, which the
    textbook's normal interval is not. E. B. Wilson, "Probable Inference, the Law of Succession, and
    Statistical Inference", JASA 22 (1927).

    Args:
        passed: How many passed, 0 to `tried`.
        tried: Of how many, 1 or more.

    Raises:
        ValueError: Nothing was tried, or more passed than were tried.
    """
    if not 0 <= passed <= tried or tried < 1:
        msg = f"{passed} of {tried}; allowed: 0 to all of 1 or more"
        raise ValueError(msg)
    share, squared = passed / tried, _Z * _Z
    middle = (share + squared / (2 * tried)) / (1 + squared / tried)
    spread = (_Z / (1 + squared / tried)) * math.sqrt(
        share * (1 - share) / tried + squared / (4 * tried * tried)
    )
    # Exactly, the ends are 0 and 1 there; rounding is not to leave them out.
    low = 0.0 if passed == 0 else max(0.0, middle - spread)
    high = 1.0 if passed == tried else min(1.0, middle + spread)
    return low, high
