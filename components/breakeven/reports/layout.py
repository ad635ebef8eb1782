"""What a table of a report consists of, before Markdown or HTML lays it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        heading: What stands in it.
        numeric: Whether its cells are figures, which are set flush right.
        short: Whether its cells are a word or a date, which no line end should part.
    """

    heading: str
    numeric: bool = False
    short: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        cells: One text a column.
        weight: "sum" for a subtotal or total, "chosen" for what is recommended, "struck" for what
            is crossed out.
    """

    cells: tuple[str, ...]
    weight: Literal["plain", "sum", "chosen", "struck"] = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One question and its answer.

    Attributes:
        name: For anchors, one word.
        title: The question.
        answer: The answer in a few words.
        columns: Columns, the first of which names a row.
        rows: Rows.
        notes: Sentences that belong below.
    """

    name: str
    title: str
    answer: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
