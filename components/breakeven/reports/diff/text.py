"""A comparison for people: text for the terminal, Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from breakeven.reports.diff.changes import Change, Comparison
from breakeven.reports.formatting import counted, usd, usd_difference, usd_per_million, volume
from breakeven.reports.layout import Column, Row, Table
from breakeven.reports.markdown import escaped, grid, marker
from breakeven.reports.text import drawn, text_table, wrapped

_CHOICES = {
    "api": "stay on the API",
    "hosted": "hosted API for the same model",
    "self-host": "self-host",
    "hybrid": "hybrid",
}


def diff_text(comparison: Comparison) -> str:
    """Returns the comparison as text of at most `WIDTH` columns."""
    parts = [wrapped([_title(comparison)])]
    for table in diff_tables(comparison):
        shown = text_table(table.title)
        for place, column in enumerate(table.columns):
            if column.numeric:
                shown.add_column(column.heading, justify="right", no_wrap=True)
            else:
                shown.add_column(column.heading, ratio=place or None, overflow="fold")
        for row in table.rows:
            shown.add_row(*row.cells)
        parts.append(drawn(shown) + wrapped(table.notes))
    parts.append("\n" + wrapped([_advice(comparison)]))
    return "".join(parts).rstrip("\n")


def diff_markdown(comparison: Comparison) -> str:
    """Returns the comparison as a comment on a pull request."""
    lines = [marker(f"diff {comparison.after}"), f"## {escaped(_title(comparison))}", ""]
    lines += [f"**{escaped(_advice(comparison))}**", ""]
    for table in diff_tables(comparison):
        lines += [f"### {table.title}", "", *grid(table), ""]
        lines += [*table.notes, ""] if table.notes else []
    return "\n".join(lines).rstrip() + "\n"


def diff_tables(comparison: Comparison) -> tuple[Table, Table, Table]:
    """Returns what changed in the bill, by API and in break-even."""
    return _bill(comparison), _by_api(comparison), _break_even(comparison)


def _title(comparison: Comparison) -> str:
    return f"Cost of {comparison.after}, compared with {comparison.before}"


def _advice(comparison: Comparison) -> str:
    before, after = (_CHOICES.get(choice, choice) for choice in comparison.recommendation)
    if comparison.advice_changed:
        return f"The recommendation changes from {before} to {after}. {comparison.summary}"
    return f"The recommendation stays: {after}. {comparison.summary}"


def _bill(comparison: Comparison) -> Table:
    changed = [change for change in comparison.lines if change.sign != " "]
    same = len(comparison.lines) - len(changed)
    million = comparison.per_million_tokens
    per_million = (
        million.sign,
        million.name,
        usd_per_million(million.before or Decimal(0)),
        usd_per_million(million.after or Decimal(0)),
        "",
        _percent(million),
    )
    return Table(
        name="bill",
        title="Changes of the monthly cost of self-hosting",
        answer="",
        columns=_columns("Line item"),
        rows=(
            *(_row(change) for change in changed),
            *(_row(change, total=True) for change in comparison.totals),
            Row(per_million),
        ),
        notes=(f"{counted(same, 'line item')} unchanged.",) if same else (),
    )


def _by_api(comparison: Comparison) -> Table:
    return Table(
        name="apis",
        title="Changes of the monthly cost with an API",
        answer="",
        columns=_columns("API"),
        rows=_or_nothing(_row(change) for change in comparison.apis if change.sign != " "),
    )


def _break_even(comparison: Comparison) -> Table:
    rows = (
        Row(("~" if before != after else "", name, _volume(before), _volume(after)))
        for name, (before, after) in comparison.break_even.items()
    )
    return Table(
        name="break-even",
        title="Break-even volume (tokens per day)",
        answer="",
        columns=_columns("Compared with")[:4],
        rows=tuple(rows),
    )


def _columns(name: str) -> tuple[Column, ...]:
    numbers = ("Before", "Now", "Difference", "Percent")
    return (Column(""), Column(name), *(Column(heading, numeric=True) for heading in numbers))


def _row(change: Change, *, total: bool = False) -> Row:
    cells = (
        change.sign.strip(),
        change.name,
        "" if change.before is None else usd(change.before),
        "" if change.after is None else usd(change.after),
        usd_difference(change.difference),
        _percent(change),
    )
    return Row(cells, "sum" if total else "plain")


def _or_nothing(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(rows) or (Row(("", "nothing", "", "", "", "")),)


def _percent(change: Change) -> str:
    return "" if change.percent is None or change.sign == "-" else f"{change.percent:+,.1f}%"


def _volume(tokens: int | None) -> str:
    return "never" if tokens is None else volume(tokens)
