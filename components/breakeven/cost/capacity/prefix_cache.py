"""Which share of the input a replica finds in its prefix cache: some of what could be found."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixCache:
    """What decides how much of the reusable input is found.

    Attributes:
        reusable: Share of the input that a cache without limits would hold, 0 to 1.
        common: Share of the input that all requests have in common, such as a system prompt; 0 to
            `reusable`. Each replica has it after its first request.
        replicas: Over which requests are spread, 1 or more.
        affinity: Whether requests with the same beginning go to the same replica.
        free_tokens: Tokens that the cache of a replica holds in addition to the requests in flight.
        tokens_per_second: That a replica adds to its cache.
        reuse_seconds: Mean time until a prefix is used again, over 0. Times are exponential by kind
            of request (Wang et al., "KVCache Cache in the Wild", 2025, arXiv 2506.02634).
    """

    reusable: float
    common: float
    replicas: int
    affinity: bool
    free_tokens: float
    tokens_per_second: float
    reuse_seconds: float

    @property
    def kept(self) -> float:
        """Share of reuses that come before other requests have taken the place: 1 - exp(-t / mean).

        The oldest goes first, so that a prefix stays as long as the free tokens last.
        """
        if not self.tokens_per_second:
            return 1.0
        return -math.expm1(-self.free_tokens / self.tokens_per_second / self.reuse_seconds)

    @property
    def same_replica(self) -> float:
        """Share of reuses that reach the replica which has the prefix: 1 / N of a plain Service."""
        return 1.0 if self.affinity else 1 / self.replicas

    @property
    def share(self) -> float:
        """Share of the input that is found, 0 to `reusable`."""
        of_sessions = self.reusable - self.common
        return self.common + of_sessions * self.same_replica * self.kept
