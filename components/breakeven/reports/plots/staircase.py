"""What self-hosting costs at other volumes, as a curve to draw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.break_even import HasSteps
from breakeven.cost.estimate import LARGEST_NODES


def monthly_at(staircase: HasSteps, tokens_per_day: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns USD a month at each volume; beyond the largest fleet, the largest fleet's cost."""
    steps = staircase.steps(max(LARGEST_NODES, staircase.lowest_nodes))
    step = np.searchsorted(steps.to_tokens_per_day, tokens_per_day, side="left")
    at_step = steps.monthly[np.minimum(step, len(steps.monthly) - 1)]
    carried = np.minimum(tokens_per_day, steps.to_tokens_per_day[-1])
    return np.asarray(at_step + steps.token_monthly * carried)
