"""How many replicas run, and what adds or removes one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field

from breakeven.settings.fields import (
    Boolean,
    Conflict,
    Form,
    Group,
    Integer,
    List,
    Number,
    OptionalNumber,
    refuse,
)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_REPLICAS = 1000

_DAY = f"({'|'.join(DAYS)})"
_CLOCK = r"([01]\d|2[0-3]):([0-5]\d)"
_ENTRY = (
    rf"(?P<first>{_DAY})(-(?P<last>{_DAY}))? (?P<start>{_CLOCK})-(?P<end>{_CLOCK}) "
    r"(?P<replicas>\d{1,4})"
)


class ScheduledReplicas(BaseModel):
    """Hours of a week with at least so many replicas. Days count from 0 for Monday."""

    model_config = ConfigDict(frozen=True)

    first_day: int
    last_day: int
    start: str
    end: str
    replicas: int


def _hours(text: str) -> ScheduledReplicas:
    found = re.fullmatch(_ENTRY, text, re.ASCII)
    if found is None:
        raise ValueError(text)
    first = DAYS.index(found["first"])
    last = DAYS.index(found["last"]) if found["last"] else first
    if first > last or found["start"] >= found["end"]:
        refuse(
            f'found "{text}"',
            "Allowed: days from Monday to Sunday and an end after its start; for a range past "
            "midnight or past Sunday, use two entries",
        )
    return ScheduledReplicas(
        first_day=first,
        last_day=last,
        start=found["start"],
        end=found["end"],
        replicas=int(found["replicas"]),
    )


def _time_zone(text: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Za-z_]+(/[A-Z][A-Za-z0-9_+-]+){0,2}", text, re.ASCII):
        raise ValueError(text)
    known = _time_zones()
    if known and text not in known:
        raise ValueError(text)
    return text


@cache
def _time_zones() -> set[str]:
    """Those of this machine; none where it has no table, and then the cluster judges."""
    # Cached, because Python walks a folder of hundreds of files for it each time.
    return available_timezones()


_Hours = Annotated[
    ScheduledReplicas,
    Form(
        _hours,
        allowed='DAYS HH:MM-HH:MM REPLICAS, such as "mon-fri 08:00-18:00 4"',
        pattern=rf"{_DAY}(-{_DAY})? {_CLOCK}-{_CLOCK} \d{{1,4}}",
    ),
]
_TimeZone = Annotated[
    str,
    Form(_time_zone, allowed="a name of the IANA time zone database, such as Europe/Berlin"),
]


class ReplicaSettings(Group):
    """How many replicas run, and what adds or removes one."""

    autoscaling: Boolean = Field(
        default=True,
        description="Scale replicas with KEDA on vLLM's metrics; requires KEDA and Prometheus in "
        "the cluster",
    )
    min: Integer = Field(
        default=1,
        ge=0,
        le=MOST_REPLICAS,
        description="Minimum number of replicas, 1 or more, or 0 with a gateway and "
        "replicas.autoscaling; with replicas.autoscaling off, replicas.min and replicas.max "
        "must be equal",
    )
    max: Integer = Field(
        default=1, ge=1, le=MOST_REPLICAS, description="Maximum number of replicas"
    )
    target_requests: Integer = Field(
        default=32,
        ge=1,
        le=4096,
        description="Target of requests in flight per replica",
    )
    target_waiting: Integer = Field(
        default=5,
        ge=1,
        le=4096,
        description="Target of waiting requests per replica; above it, replicas are added",
    )
    scale_down_seconds: Integer = Field(
        default=300,
        ge=0,
        le=3600,
        description="Seconds of lower demand before a replica is removed",
    )
    availability_percent: OptionalNumber = Field(
        default=None,
        ge=50,
        le=Decimal("99.9999"),
        description="Availability objective: percent of the time in which a replica must answer; "
        "the report then shows the cost of a spare replica, a second zone, a fallback API, and "
        "on-call. Empty for none",
    )
    gpu_failures_per_year: Number = Field(
        default=Decimal("0.17"),
        ge=0,
        le=100,
        description="replicas.availabilityPercent: failures of a node per year for each of its "
        "GPUs. The default is 419 in 54 days on 16,384 H100 (Meta, July 2024)",
    )
    repair_hours: Number = Field(
        default=Decimal(24),
        ge=0,
        le=8760,
        description="replicas.availabilityPercent: hours until a failed node is back, in a pool "
        "without a free one; an assumption",
    )
    schedule: Annotated[tuple[_Hours, ...], List] = Field(
        default=(),
        description="Hours with a higher minimum of replicas, as DAYS HH:MM-HH:MM REPLICAS, such "
        'as "mon-fri 08:00-18:00 4"',
    )
    time_zone: _TimeZone = Field(
        default="UTC",
        description="Time zone of those hours, as an IANA name",
    )

    def conflicts(self) -> Iterator[Conflict]:
        """Yields what cannot be used together."""
        if self.min > self.max:
            yield Conflict(
                "replicas.min",
                f"{self.min} is more than replicas.max {self.max}",
                f"Allowed: up to {self.max}, or raise replicas.max",
                ("replicas.max", "replicas.autoscaling"),
            )
        elif not self.autoscaling and self.min != self.max:
            yield Conflict(
                "replicas.max",
                f"{self.max} differs from replicas.min {self.min} with replicas.autoscaling off",
                "Allowed: the same number, or set replicas.autoscaling to true",
                ("replicas.min", "replicas.autoscaling"),
            )
        if self.schedule:
            yield from self._schedule_conflicts()

    def _schedule_conflicts(self) -> Iterator[Conflict]:
        needs = ("replicas.autoscaling", "replicas.min", "replicas.max")
        if not self.autoscaling:
            yield Conflict(
                "replicas.schedule",
                "a schedule with replicas.autoscaling off",
                "Set replicas.autoscaling to true, or leave the schedule out",
                needs,
            )
            return
        outside = sorted(
            {entry.replicas for entry in self.schedule if not self.min < entry.replicas <= self.max}
        )
        if outside:
            yield Conflict(
                "replicas.schedule",
                f"{', '.join(map(str, outside))} replicas",
                f"Allowed: more than replicas.min {self.min}, up to replicas.max {self.max}",
                needs,
            )
