"""Prefill and decode on separate replicas: settings."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pydantic import Field

from breakeven.settings.fields import Conflict, Group, Integer, OptionalNumber

_KEY = "engine.disaggregation."


class DisaggregationSettings(Group):
    """Prefill/decode disaggregation: some replicas process prompts, the others generate.

    `prefill_replicas` is 0 where each replica does both. `link_gigabits_per_second` is None where
    no link is known; a stated one alone only lets the report look for a saving.
    """

    prefill_replicas: Integer = Field(
        default=0,
        ge=0,
        le=999,
        description="Replicas of replicas.min that only process prompts; the others only decode. "
        "0: each replica does both. For estimates: Breakeven does not deploy it (docs/vllm.md)",
    )
    link_gigabits_per_second: OptionalNumber = Field(
        default=None,
        ge=100,
        le=Decimal(6400),
        description="RDMA network of each replica (InfiniBand, RoCE, or EFA) over which the KV "
        "cache is transferred, in Gbit/s, 100 or more. If it is stated, the report checks whether "
        "disaggregation would lower the bill",
    )

    @property
    def is_on(self) -> bool:
        """Whether prefill and decode are on separate replicas."""
        return self.prefill_replicas > 0

    def conflicts(self) -> Iterator[Conflict]:
        """Yields that no fast link is stated."""
        if self.is_on and self.link_gigabits_per_second is None:
            yield Conflict(
                f"{_KEY}linkGigabitsPerSecond",
                f"empty with engine.disaggregation.prefillReplicas {self.prefill_replicas}: the KV "
                "cache of each request is transferred from one replica to another",
                "Needed: the RDMA network of a replica in Gbit/s, 100 or more; without one, set "
                "engine.disaggregation.prefillReplicas to 0",
                (f"{_KEY}prefillReplicas",),
            )
