"""Reads the hours of a week at which more replicas than usual are kept."""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import available_timezones

from breakeven.settings.groups import ScheduledReplicas
from breakeven.settings.reader import ConfigReader
from breakeven.settings.stack import Settings

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY = f"({'|'.join(DAYS)})"
_CLOCK = r"([01]\d|2[0-3]):([0-5]\d)"
_ENTRY = (
    rf"(?P<first>{_DAY})(-(?P<last>{_DAY}))? (?P<start>{_CLOCK})-(?P<end>{_CLOCK}) "
    r"(?P<replicas>\d{1,4})"
)
_ALLOWED = 'Allowed: DAYS HH:MM-HH:MM REPLICAS, such as "mon-fri 08:00-18:00 4"'


def read_time_zone(reader: ConfigReader) -> str:
    """Reads the name of a time zone; one that this machine's table does not have is rejected."""
    allowed = "Allowed: a name of the IANA time zone database, such as Europe/Berlin"
    name = reader.text(
        "scheduleTimeZone", pattern=r"[A-Z][A-Za-z_]+(/[A-Z][A-Za-z0-9_+-]+){0,2}", allowed=allowed
    )
    known = _time_zones()
    if known and name not in known:
        reader.reject("scheduleTimeZone", f'found "{name}"', allowed)
    return name


@cache
def _time_zones() -> set[str]:
    """Those of this machine; none where it has no table, and then the cluster judges."""
    # Cached, because Python walks a folder of hundreds of files for it each time.
    return available_timezones()


def read_schedule(reader: ConfigReader) -> tuple[ScheduledReplicas, ...]:
    """Reads the entries; one whose days or hours run backwards is rejected."""
    entries = reader.words("scheduledReplicas", pattern=_ENTRY, allowed=_ALLOWED)
    found = tuple(_entry(text) for text in entries)
    for text, entry in zip(entries, found, strict=True):
        if entry.first_day > entry.last_day or entry.start >= entry.end:
            reader.reject(
                "scheduledReplicas",
                f'found "{text}"',
                "Allowed: days from Monday to Sunday and an end after its start; for a night or a "
                "week's end that runs on, two entries",
            )
    return found


def _entry(text: str) -> ScheduledReplicas:
    found = re.fullmatch(_ENTRY, text)
    if found is None:
        msg = f"{text} was not checked"
        raise AssertionError(msg)
    first = DAYS.index(found["first"])
    return ScheduledReplicas(
        first_day=first,
        last_day=DAYS.index(found["last"]) if found["last"] else first,
        start=found["start"],
        end=found["end"],
        replicas=int(found["replicas"]),
    )


def check_schedule(settings: Settings, reader: ConfigReader) -> None:
    """Rejects a schedule that nothing follows, and one outside of the bounds."""
    replicas = settings.replicas
    if not replicas.schedule or not reader.usable(
        "scheduledReplicas", "autoscaling", "minReplicas", "maxReplicas"
    ):
        return
    if not replicas.autoscaling:
        reader.reject(
            "scheduledReplicas",
            "a schedule with autoscaling off",
            "Set autoscaling to true, or leave the schedule out",
        )
        return
    outside = sorted(
        {
            entry.replicas
            for entry in replicas.schedule
            if not replicas.min < entry.replicas <= replicas.max
        }
    )
    if outside:
        reader.reject(
            "scheduledReplicas",
            f"{', '.join(map(str, outside))} replicas",
            f"Allowed: more than minReplicas {replicas.min}, up to maxReplicas {replicas.max}",
        )
