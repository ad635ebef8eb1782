"""Aligned tables and wrapped sentences as plain text, for a terminal and for a CI log."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 96
"""Columns of a text; Pulumi indents a message by four, which leaves 96 of 100."""


def text_table(title: str) -> Table:
    """Returns an empty table under a title; columns and rows are added by the caller."""
    return Table(
        title=title,
        title_justify="left",
        title_style="",
        box=box.SIMPLE_HEAD,
        width=WIDTH,
        pad_edge=False,
        show_edge=False,
        header_style="",
    )


def drawn(table: Table) -> str:
    """Returns a table as text, after an empty line."""
    buffer = io.StringIO()
    console = Console(
        file=buffer, width=WIDTH, no_color=True, color_system=None, legacy_windows=False
    )
    console.print()
    console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def wrapped(lines: Iterable[str]) -> str:
    """Returns sentences, each from a new line; "- " at the start of one indents what follows."""
    buffer = io.StringIO()
    console = Console(file=buffer, width=WIDTH, no_color=True, color_system=None)
    for line in lines:
        indent = len(line) - len(line.lstrip(" -"))
        for number, piece in enumerate(Text(line).wrap(console, WIDTH - indent)):
            buffer.write((" " * indent if number else "") + piece.plain.rstrip() + "\n")
    return buffer.getvalue()
