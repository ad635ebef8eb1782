"""The output format option: for people or for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, TypeAlias

import typer


class Format(StrEnum):
    """Output formats."""

    TEXT = "text"
    JSON = "json"


FormatOption: TypeAlias = Annotated[Format, typer.Option("--format", help="Output format.")]


class TableFormat(StrEnum):
    """Output formats of a table."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


TableFormatOption: TypeAlias = Annotated[
    TableFormat, typer.Option("--format", help="Output format.")
]


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a table as Markdown; bars in a cell are escaped."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        f"| {' | '.join(str(cell).replace('|', '&#124;') for cell in line)} |" for line in lines
    )
