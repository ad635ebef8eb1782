"""What would lower the bill: settings, and what the stack costs with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

LeverKind: TypeAlias = Literal[
    "precision",
    "kv-cache",
    "speculation",
    "disaggregation",
    "kv-offload",
    "prefix-affinity",
    "commitment",
    "spot",
    "gpu",
    "region",
    "autoscaling",
    "hybrid",
    "schedule",
    "fewer-replicas",
    "more-replicas",
    "target-requests",
    "scale-down",
]
"""What a lever changes."""

MOST_LEVERS = 8
"""Levers that a report shows at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """Settings with which the stack costs less and still keeps all of its objectives.

    Attributes:
        kind: What they change.
        settings: New values by dotted key, as a stack file states them.
        monthly: USD per month that the stack then costs, by a full estimate.
        saving: USD per month that it costs less than as configured, over 0.
    """

    kind: LeverKind
    settings: Mapping[str, object]
    monthly: Decimal
    saving: Decimal


def largest_savings(levers: list[Lever]) -> tuple[Lever, ...]:
    """Returns the best lever of each kind, largest saving first, at most `MOST_LEVERS`."""
    best: dict[LeverKind, Lever] = {}
    for lever in levers:
        known = best.get(lever.kind)
        if lever.saving > 0 and (known is None or lever.saving > known.saving):
            best[lever.kind] = lever
    return tuple(sorted(best.values(), key=lambda lever: -lever.saving)[:MOST_LEVERS])
