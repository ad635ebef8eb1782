"""The availability that a stack asks for, and how often nodes fail."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityObjective:
    """What a stack states about its availability.

    Attributes:
        target: Share of the time in which a replica is to answer, 0 to 1.
        gpu_failures_per_year: Failures for each GPU of a node.
        repair_hours: Until a failed node is back, where no other one takes its place.
        interruptions_per_year: Spot interruptions of a node; 0 for on-demand ones.
    """

    target: float
    gpu_failures_per_year: float
    repair_hours: float
    interruptions_per_year: float
