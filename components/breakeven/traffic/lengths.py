"""Lengths of requests: a histogram whose size does not grow with their number."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from breakeven.percentiles import PERCENTILES

_PRECISION_BITS = 8
"""Significant bits of a length that are kept: exact below 256 tokens, within 0.8% above."""


@dataclass(slots=True)
class Lengths:
    """Lengths of single requests in tokens.

    Attributes:
        count: How many.
        longest: The longest, exactly.
    """

    count: int = 0
    longest: int = 0
    _bins: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, tokens: int) -> None:
        """Counts a request of a number of tokens, 0 or more."""
        self.count += 1
        self.longest = max(self.longest, tokens)
        shift = max(0, tokens.bit_length() - _PRECISION_BITS)
        # Rounded up, so that no percentile is shorter than the requests it represents.
        self._bins[-(-tokens >> shift) << shift] += 1

    def percentile(self, share: float) -> int:
        """Returns the length that a share of the requests, 0 to 1, does not exceed.

        At most 0.8% too long, and never too short.

        Raises:
            ValueError: There are no requests.
        """
        if not self.count:
            msg = "no request was counted"
            raise ValueError(msg)
        reached = 0
        for length in sorted(self._bins):
            reached += self._bins[length]
            if reached >= share * self.count:
                return min(length, self.longest)
        return self.longest

    def percentiles(self) -> dict[str, int]:
        """Returns the lengths at `PERCENTILES`, by their names."""
        return {name: self.percentile(share) for name, share in PERCENTILES.items()}
