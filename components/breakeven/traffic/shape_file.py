"""The file of stacks/traffic/ with a measured shape; `breakeven.cost.demand.load` reads it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from breakeven.traffic.profile import HOURS_OF_DAY, HOURS_OF_WEEK, Profile

MARK = "# Made by breakeven traffic import"
"""First line of such a file, so that a file written by hand is never replaced."""

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def shape_text(profile: Profile, sources: Sequence[str], zone: str, today: date) -> str:
    """Returns the text of the file: one relative rate per line, with its origin as comments.

    Args:
        profile: Measured traffic with `rates`.
        sources: File names and kinds of the logs.
        zone: Name of the time zone of the hours.
        today: For the comment.

    Raises:
        ValueError: The profile has no rates.
    """
    if profile.rates is None:
        msg = "the profile has no rates"
        raise ValueError(msg)
    week = len(profile.rates) == HOURS_OF_WEEK
    averaged = f"{profile.days / 7:.1f} weeks" if week else f"{profile.days:.1f} days"
    mean = sum(profile.rates) / len(profile.rates)
    span = (
        f"{profile.start:%Y-%m-%d %H:%M} to {profile.end:%Y-%m-%d %H:%M} {zone}"
        if profile.start and profile.end
        else f"{profile.days:.1f} days from a midnight of unknown date"
    )
    counted = "" if profile.requests is None else f", {profile.requests:,} requests"
    lines = [
        f"{MARK} on {today.isoformat()}.",
        *(f"# Source: {source}" for source in sources),
        f"# Span: {span}{counted}; mean of {averaged}.",
        f"# {profile.rates_of.capitalize()} of each hour over the mean hour; hours of {zone}.",
    ]
    for hour, rate in enumerate(profile.rates):
        if hour % HOURS_OF_DAY == 0:
            day = _DAYS[hour // HOURS_OF_DAY] if week else "A mean day"
            lines.append(f"# {day}, 0:00 first")
        lines.append(f"{rate / mean:.5g}")
    return "\n".join(lines) + "\n"
