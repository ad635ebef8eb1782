"""What an API costs in a month at any volume, as lines between points."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ApiCurve:
    """USD per month by tokens per day; it never falls.

    Attributes:
        fee: At no tokens: what is paid at any volume.
        slope: USD per month for one more token a day beyond the last bend.
        bends: Volumes at which the slope changes, in rising order; none of most APIs.
        at_bends: USD per month at each.
    """

    fee: float
    slope: float
    bends: NDArray[np.float64]
    at_bends: NDArray[np.float64]

    @classmethod
    def line(cls, slope: float, fee: float = 0.0) -> ApiCurve:
        """Returns that of an API that is paid by the token, with a fee if there is one."""
        nowhere = np.empty(0)
        return cls(fee=fee, slope=slope, bends=nowhere, at_bends=nowhere)

    def at(self, volumes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns USD per month at volumes of 0 or more, in tokens per day."""
        if not len(self.bends):
            return self.fee + self.slope * volumes
        known, costs = np.append(0.0, self.bends), np.append(self.fee, self.at_bends)
        beyond = np.maximum(volumes - known[-1], 0.0)
        result: NDArray[np.float64] = np.interp(volumes, known, costs) + self.slope * beyond
        return result

    def times(self, factor: float) -> ApiCurve:
        """Returns the curve where everything costs `factor` times as much."""
        return replace(
            self,
            fee=self.fee * factor,
            slope=self.slope * factor,
            at_bends=self.at_bends * factor,
        )
