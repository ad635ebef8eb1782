"""What an import of traffic tells: what was read, what it means, and what was left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from breakeven.cli.stack_file import setting_lines
from breakeven.reports.text import wrapped
from breakeven.traffic.importer import Imported, describe_bad_rows
from breakeven.traffic.profile import Profile

MINUTES_PER_DAY = 1_440


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficReport:
    """An import, told for people and as JSON.

    Attributes:
        sources: File names and kinds.
        zone: Name of the time zone of all times and hours.
        imported: Counts, sums, and what was bad.
        profile: What was measured.
        shape_name: Name of the shape file, if there is one.
        stack: Stack whose file was changed.
    """

    sources: tuple[str, ...]
    zone: str
    imported: Imported
    profile: Profile
    shape_name: str
    stack: str | None

    @property
    def settings(self) -> dict[str, int | str]:
        """Settings that were measured, by key without prefix."""
        return self.profile.settings(self.shape_name)

    @property
    def written(self) -> tuple[str, ...]:
        """Files that were written, from the project's folder."""
        shape = (f"stacks/traffic/{self.shape_name}",) if self.profile.rates else ()
        return shape + ((f"stacks/Pulumi.{self.stack}.yaml",) if self.stack else ())

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know about the figures."""
        name = self.imported.incomplete
        more = f"{name}: its last page says that more follow; the export is not whole"
        return self.profile.notes + ((more,) if name else ())

    def as_text(self) -> str:
        """Returns the report for people, at most 96 columns wide."""
        profile, tally = self.profile, self.imported.tally
        left_out = "; ".join(f"{reason}: {count:,}" for reason, count in tally.left_out.items())
        minutes = profile.days * MINUTES_PER_DAY
        span = f"{profile.days:,.1f} days" if profile.days >= 1 else f"{minutes:.0f} minutes"
        head = [
            f"TRAFFIC OF {', '.join(self.sources)}",
            (
                f"{profile.requests:,} requests from {profile.start:%Y-%m-%d %H:%M} to "
                f"{profile.end:%Y-%m-%d %H:%M} {self.zone}, {span}"
            ),
            f"Rows: {tally.rows:,} read, {tally.bad_rows:,} bad"
            + (f"; left out: {left_out}" if left_out else ""),
            *(f"- {line}" for line in describe_bad_rows(tally)),
        ]
        where = f"stacks/Pulumi.{self.stack}.yaml, merged" if self.stack else "for your stack file"
        parts = [wrapped(head), f"\nSettings, {where}\n", *_lines(setting_lines(self.settings))]
        if self.notes:
            parts += ["\nNotes\n", wrapped(f"- {note}." for note in self.notes)]
        if self.written:
            parts += ["\n", *_lines(f"Written: {file}" for file in self.written)]
        return "".join(parts)

    def as_output(self) -> dict[str, object]:
        """Returns the report as JSON values."""
        profile, tally = self.profile, self.imported.tally
        return {
            "sources": list(self.sources),
            "start": profile.start.isoformat(),
            "end": profile.end.isoformat(),
            "days": round(profile.days, 4),
            "requests": profile.requests,
            "inputTokens": round(tally.input_tokens),
            "outputTokens": round(tally.output_tokens),
            "rows": {
                "read": tally.rows,
                "bad": {
                    reason: {"count": found.count, "first": found.places}
                    for reason, found in tally.bad.items()
                },
                "leftOut": dict(tally.left_out),
            },
            "settings": self.settings,
            "notes": list(self.notes),
            "written": list(self.written),
        }


def _lines(lines: Iterable[str]) -> list[str]:
    return [f"{line}\n" for line in lines]
