"""How replicas are replaced when model or engine change, as far as nodes and volume allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from breakeven.manifests.serving.timings import START_SAFETY_FACTOR, timings_of
from breakeven.settings.stack import Settings

Hindrance: TypeAlias = Literal[
    "one-node-mounts-weights", "no-spare-gpu", "no-spare-node", "gpu-quota"
]
"""Why an update may not add a replica."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """The strategy of updates and rollbacks, which go the same way.

    Attributes:
        max_surge: Extra replicas that an update may start.
        max_unavailable: Replicas that may be missing; one of the two is 1, the other 0.
        gap_seconds: Maximum time without a serving replica; 0 if one always serves.
        hindrance: Why no replica may be added: only one node can mount the weights, no GPU of the
            fixed nodes is spare, or the GPU quota is used up; None where one may.
    """

    max_surge: int
    max_unavailable: int
    gap_seconds: int
    hindrance: Hindrance | None


def rollout_of(settings: Settings) -> Rollout:
    """Determines the possible strategy.

    An extra replica needs an extra GPU. If no GPU is spare, it would wait forever, so one must
    stop first: the others serve meanwhile, or none if there is only one.
    """
    surge = settings.surge_replicas
    only_replica = not surge and settings.replicas.min <= 1
    gap = timings_of(settings).startup_budget // START_SAFETY_FACTOR if only_replica else 0
    return Rollout(
        max_surge=surge,
        max_unavailable=1 - surge,
        gap_seconds=gap,
        hindrance=None if surge else _hindrance(settings),
    )


def _hindrance(settings: Settings) -> Hindrance:
    if settings.has_spare_gpus:
        return "one-node-mounts-weights"
    if settings.pool.can_grow:
        return "gpu-quota"
    return "no-spare-node" if settings.pool.gpu.is_cpu else "no-spare-gpu"
