"""The report of a traffic import: what was read, the settings, and what was skipped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from breakeven.cli.stack_file import setting_lines
from breakeven.reports.text import wrapped
from breakeven.traffic.importer import Imported, describe_bad_rows
from breakeven.traffic.profile import Profile, Setting

if TYPE_CHECKING:
    from breakeven.cli.traffic.fitting import Fitted
    from breakeven.cli.traffic.spend import Spend

MINUTES_PER_DAY = 1_440


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficReport:
    """The report of an import, as text and as JSON.

    Attributes:
        sources: File names and kinds.
        zone: Name of the time zone of all times and hours.
        imported: Counts, sums, and bad rows.
        profile: The measured traffic.
        fitted: Settings derived from it.
        spend: The spend in the log; None without one.
        shape_name: Name of the shape file, if there is one.
        stack: Stack whose file was changed.
    """

    sources: tuple[str, ...]
    zone: str
    imported: Imported
    profile: Profile
    fitted: Fitted
    spend: Spend | None
    shape_name: str
    stack: str | None

    @property
    def settings(self) -> Mapping[str, Setting]:
        """Measured settings, by key without prefix."""
        return self.fitted.settings

    @property
    def written(self) -> tuple[str, ...]:
        """Written files, relative to the project's folder."""
        shape = (f"stacks/traffic/{self.shape_name}",) if self.profile.rates else ()
        return shape + ((f"stacks/Pulumi.{self.stack}.yaml",) if self.stack else ())

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on the figures; first what no longer fits."""
        unfit = (self.fitted.unfit,) if self.fitted.unfit else ()
        return (*unfit, *self.imported.notes, *self.profile.notes, *self.fitted.notes)

    def as_text(self) -> str:
        """Returns the report as text, at most 96 columns wide."""
        tally = self.imported.tally
        left_out = "; ".join(f"{reason}: {count:,}" for reason, count in tally.left_out.items())
        head = [
            f"TRAFFIC OF {', '.join(self.sources)}",
            self._volume(),
            *self._lengths(),
            f"Rows: {tally.rows:,} read, {tally.bad_rows:,} bad"
            + (f"; skipped: {left_out}" if left_out else ""),
            *(f"- {line}" for line in describe_bad_rows(tally)),
        ]
        where = f"stacks/Pulumi.{self.stack}.yaml, merged" if self.stack else "for the stack file"
        if self.fitted.unfit:
            head.append(f"Does not fit: {self.fitted.unfit}.")
        parts = [wrapped(head), f"\nSettings, {where}\n", *_lines(setting_lines(self.settings))]
        if self.spend:
            parts += ["\nSpend\n", wrapped(self.spend.as_text())]
        notes = [note for note in self.notes if note != self.fitted.unfit]
        if notes:
            parts += ["\nNotes\n", wrapped(f"- {note}." for note in notes)]
        if self.written:
            parts += ["\n", *_lines(f"Written: {file}" for file in self.written)]
        if self.fitted.unfit:
            parts += _lines([f"next:    breakeven recommend {self.stack}     find GPUs that fit"])
        return "".join(parts)

    def _volume(self) -> str:
        """Returns how many requests there are, and when."""
        profile, tally = self.profile, self.imported.tally
        minutes = profile.days * MINUTES_PER_DAY
        span = f"{profile.days:,.1f} days" if profile.days >= 1 else f"{minutes:.0f} minutes"
        counted = (
            f"{tally.tokens:,.0f} tokens"
            if profile.requests is None
            else f"{profile.requests:,} requests"
        )
        if profile.start is None or profile.end is None:
            return f"{counted} within {span} of the log's relative time"
        return (
            f"{counted} from {profile.start:%Y-%m-%d %H:%M} to "
            f"{profile.end:%Y-%m-%d %H:%M} {self.zone}, {span}"
        )

    def _lengths(self) -> list[str]:
        """Returns the lengths of requests, if the log lists single ones."""
        profile = self.profile
        if profile.request_p99 is None or profile.longest_request is None:
            return []
        line = (
            f"99% of requests have at most {profile.request_p99:,} input and output tokens; the "
            f"longest has {profile.longest_request:,}"
        )
        return [line]

    def as_output(self) -> dict[str, object]:
        """Returns the report as JSON values."""
        profile, tally = self.profile, self.imported.tally
        return {
            "sources": list(self.sources),
            "start": None if profile.start is None else profile.start.isoformat(),
            "end": None if profile.end is None else profile.end.isoformat(),
            "days": round(profile.days, 4),
            "requests": profile.requests,
            "inputTokens": round(tally.input_tokens),
            "outputTokens": round(tally.output_tokens),
            "requestTokens": {"p99": profile.request_p99, "longest": profile.longest_request},
            "models": {
                name: {
                    "requests": round(use.requests),
                    "inputTokens": round(use.input_tokens),
                    "outputTokens": round(use.output_tokens),
                }
                for name, use in tally.models.items()
                if name
            },
            "spend": None if self.spend is None else self.spend.as_output(),
            "rows": {
                "read": tally.rows,
                "bad": {
                    reason: {"count": found.count, "first": found.places}
                    for reason, found in tally.bad.items()
                },
                "leftOut": dict(tally.left_out),
            },
            "settings": dict(self.settings),
            "notes": list(self.notes),
            "written": list(self.written),
        }


def _lines(lines: Iterable[str]) -> list[str]:
    return [f"{line}\n" for line in lines]
