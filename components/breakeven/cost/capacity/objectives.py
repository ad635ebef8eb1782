"""Latency objectives bound how many requests a replica may run at once, and so its capacity."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from breakeven.cost.capacity.latency import Latencies, Objective

OBJECTIVES: tuple[Objective, ...] = ("first-token", "inter-token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """Latencies that 95% of requests or tokens are to keep, in seconds; infinity for none."""

    first_token_seconds: float = math.inf
    inter_token_seconds: float = math.inf

    def missed(self, found: Latencies) -> Objective | None:
        """Returns the objective that latencies miss by the larger factor, or None."""
        worst = max(OBJECTIVES, key=lambda objective: found.of(objective) / self.limit(objective))
        return worst if found.of(worst) > self.limit(worst) else None

    def limit(self, objective: Objective) -> float:
        """Returns the limit of one objective, in seconds."""
        first, between = self.first_token_seconds, self.inter_token_seconds
        return first if objective == "first-token" else between

    def stated(self) -> Iterator[tuple[Objective, float]]:
        """Yields each objective that has a limit, and the limit in seconds."""
        for objective in OBJECTIVES:
            if self.limit(objective) < math.inf:
                yield objective, self.limit(objective)


NO_OBJECTIVES = Objectives()
"""Any latency will do."""


def largest_kept(most: int, keeps: Callable[[int], bool]) -> int:
    """Returns the most requests in flight, up to `most`, that keep objectives; 0 for none.

    Args:
        most: Where to begin, 1 or more.
        keeps: Whether so many keep them; more requests in flight are never faster.
    """
    if keeps(most):
        return most
    kept, missed = 0, most
    while missed - kept > 1:
        middle = (kept + missed) // 2
        if keeps(middle):
            kept = middle
        else:
            missed = middle
    return kept
