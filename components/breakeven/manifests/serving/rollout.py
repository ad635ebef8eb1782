"""How replicas are replaced when model or engine change, by what the nodes and the volume allow."""

from __future__ import annotations

import math
from dataclasses import dataclass

from breakeven.manifests.serving.timings import START_SAFETY_FACTOR, timings_of
from breakeven.settings.stack import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """The strategy of updates and rollbacks, which go the same way.

    Attributes:
        max_surge: Replicas more that an update may start.
        max_unavailable: Replicas fewer that it may leave; one of the two is 1, the other 0.
        gap_seconds: For how long no replica may serve; 0 where one always does.
        explanation: A sentence for the preview.
    """

    max_surge: int
    max_unavailable: int
    gap_seconds: int
    explanation: str


def rollout_of(settings: Settings) -> Rollout:
    """Works out which strategy is possible.

    A replica more needs a GPU more. Where none is spare it would wait for ever, and a replica must
    go first: the others serve meanwhile, or none does where there is only one.
    """
    surge = settings.surge_replicas
    gap = 0
    if surge:
        source = "a node is added for it" if settings.pool.can_grow else "a GPU is spare"
        explanation = (
            f"An update or rollback starts each new replica before the old one ends its requests "
            f"({source}); none is missing."
        )
    elif settings.replicas.min > 1:
        fewest = settings.replicas.min
        explanation = (
            f"An update or rollback replaces one replica at a time, the old one first, because "
            f"{_hindrance(settings)}; at the fewest {fewest - 1} of {fewest} serve meanwhile."
        )
    else:
        gap = timings_of(settings).startup_budget // START_SAFETY_FACTOR
        explanation = (
            f"An update or rollback stops the only replica before the next one starts, because "
            f"{_hindrance(settings)}: nothing {_instead(settings)} for up to "
            f"{math.ceil(gap / 60)} minutes. {_remedy(settings)}"
        )
    return Rollout(
        max_surge=surge, max_unavailable=1 - surge, gap_seconds=gap, explanation=explanation
    )


def _instead(settings: Settings) -> str:
    if settings.overflow_api is not None:
        return "but the API behind the gateway serves, and marked requests are refused,"
    return "serves"


def _hindrance(settings: Settings) -> str:
    if settings.has_spare_gpus:
        return "only one node can mount the weights (ReadWriteOnce)"
    if not settings.pool.can_grow:
        return "no GPU is spare"
    return f"gpuQuota {settings.pool.gpu_quota} has none to spare"


def _remedy(settings: Settings) -> str:
    if settings.has_spare_gpus:
        return (
            "With weightsAccessMode ReadWriteMany, or minReplicas 2 on one node, one always does."
        )
    return "With GPUs for one replica more, or minReplicas 2, one always does."
