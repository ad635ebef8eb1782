"""How many of a load's requests a fleet of constant size serves."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.demand.load import Load
from breakeven.cost.fleet.simulation.demand import rates_by_minute


class LoadDuration:
    """The load-duration curve: the minutes of a load in the order of their rates.

    Within a minute the load counts as even.

    Attributes:
        peak: Rate of the busiest minute, in requests per second.
        mean: Over all minutes.
    """

    def __init__(self, rates: NDArray[np.float64]) -> None:
        """Sorts the minutes once, so that every question afterwards is a search.

        Args:
            rates: Mean request rate of each minute, in requests per second, one of them over 0.
        """
        ordered = np.sort(rates)
        self._rates: list[float] = ordered.tolist()
        self._sums: list[float] = [0.0, *np.cumsum(ordered).tolist()]
        self.peak = self._rates[-1]
        self.mean = self._sums[-1] / len(self._rates)

    @classmethod
    def of(cls, load: Load) -> LoadDuration:
        """Returns the curve of a load, always with the same draw of its minutes."""
        return cls(rates_by_minute(load.requests_per_second(), load.burst_factor, seed=0))

    def served_share(self, requests_per_second: float) -> float:
        """Returns the share of requests that a rate serves, 0 to 1: busier minutes up to it."""
        below = bisect_right(self._rates, requests_per_second)
        served = self._sums[below] + (len(self._rates) - below) * requests_per_second
        return min(served / self._sums[-1], 1.0)
