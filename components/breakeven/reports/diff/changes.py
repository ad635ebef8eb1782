"""What changed between two estimates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from breakeven.reports.document.reading import Figures
from breakeven.reports.formatting import money, rate


@dataclass(frozen=True, slots=True)
class Change:
    """One amount before and after.

    Attributes:
        name: Of what.
        before: USD; None where it was not there.
        after: USD; None where it is gone.
    """

    name: str
    before: Decimal | None
    after: Decimal | None

    @property
    def sign(self) -> str:
        """Returns "+" for added, "-" for removed, "~" for changed, " " for unchanged."""
        if self.before is None:
            return "+"
        if self.after is None:
            return "-"
        return "~" if self.before != self.after else " "

    @property
    def difference(self) -> Decimal:
        """USD that it rose; negative where it fell."""
        return (self.after or Decimal(0)) - (self.before or Decimal(0))

    @property
    def percent(self) -> Decimal | None:
        """The difference in percent of what it was; None where it was nothing."""
        return self.difference / self.before * 100 if self.before else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that changed.

    Attributes:
        before: Name of the estimate that is compared with.
        after: Name of the stack.
        lines: The bill, in its order; lines that are gone come last.
        totals: Infrastructure, staffing and the total.
        per_million_tokens: USD per 1M tokens.
        apis: The same traffic by API.
        break_even: By API that both compare with, tokens a day before and after; None for never.
        recommendation: Before and after.
        summary: The recommendation now, in a sentence.
    """

    before: str
    after: str
    lines: tuple[Change, ...]
    totals: tuple[Change, ...]
    per_million_tokens: Change
    apis: tuple[Change, ...]
    break_even: Mapping[str, tuple[int | None, int | None]]
    recommendation: tuple[str, str]
    summary: str

    @property
    def advice_changed(self) -> bool:
        """Whether something else is recommended now."""
        return self.recommendation[0] != self.recommendation[1]

    def as_output(self) -> dict[str, object]:
        """Returns everything as plain values; money are decimal strings in USD a month."""
        return {
            "before": self.before,
            "after": self.after,
            "lines": [_output(change) for change in self.lines],
            "totals": [_output(change) for change in self.totals],
            "perMillionTokens": {
                "before": rate(self.per_million_tokens.before or Decimal(0)),
                "after": rate(self.per_million_tokens.after or Decimal(0)),
            },
            "apis": [_output(change) for change in self.apis],
            "breakEven": [
                {"against": name, "before": before, "after": after}
                for name, (before, after) in self.break_even.items()
            ],
            "recommendation": {
                "before": self.recommendation[0],
                "after": self.recommendation[1],
                "changed": self.advice_changed,
                "summary": self.summary,
            },
        }


def compare(before: Figures, after: Figures, names: tuple[str, str]) -> Comparison:
    """Compares two estimates.

    Args:
        before: What is compared with.
        after: The stack as it is now.
        names: Of both, for people.
    """
    return Comparison(
        before=names[0],
        after=names[1],
        lines=_changes(before.lines, after.lines),
        totals=_changes(before.totals, after.totals),
        per_million_tokens=Change(
            "Cost per 1M tokens", before.per_million_tokens, after.per_million_tokens
        ),
        apis=_changes(before.apis, after.apis),
        break_even={
            name: (before.break_even[name], tokens)
            for name, tokens in after.break_even.items()
            if name in before.break_even
        },
        recommendation=(before.recommendation, after.recommendation),
        summary=after.summary,
    )


def _changes(before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> tuple[Change, ...]:
    return tuple(Change(name, before.get(name), after.get(name)) for name in _both(before, after))


def _both(before: Iterable[str], after: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*after, *before]))


def _output(change: Change) -> dict[str, object]:
    words = {"+": "added", "-": "removed", "~": "changed", " ": "unchanged"}
    percent = change.percent
    return {
        "name": change.name,
        "change": words[change.sign],
        "before": None if change.before is None else money(change.before),
        "after": None if change.after is None else money(change.after),
        "difference": money(change.difference),
        "percent": None if percent is None else rate(percent),
    }
