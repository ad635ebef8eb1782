"""Aligned tables and wrapped sentences as plain text, for a terminal and for a CI log."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 96
"""Columns of a text; Pulumi indents a message by four, which leaves 96 of 100."""

NARROWEST = 72
"""Columns below which tables are not drawn narrower: their figures need that much."""


def columns(widest: int = WIDTH) -> int:
    """Returns the columns of a text: `widest`, or those of a narrower terminal."""
    if not sys.stdout.isatty():
        return widest
    return max(NARROWEST, min(widest, shutil.get_terminal_size().columns))


def text_table(title: str) -> Table:
    """Returns an empty table under a title; columns and rows are added by the caller."""
    width = columns()
    return Table(
        title=title,
        title_justify="left",
        title_style="",
        box=box.SIMPLE_HEAD,
        width=width,
        padding=(0, 1) if width == WIDTH else (0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        header_style="",
    )


def drawn(table: Table) -> str:
    """Returns a table as text, after an empty line."""
    buffer = io.StringIO()
    console = Console(
        file=buffer,
        width=columns(),
        no_color=True,
        color_system=None,
        legacy_windows=False,
        markup=False,
        emoji=False,
    )
    console.print()
    console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def wrapped(lines: Iterable[str]) -> str:
    """Returns sentences, each from a new line; "- " at the start of one indents what follows."""
    buffer = io.StringIO()
    width = columns()
    console = Console(file=buffer, width=width, no_color=True, color_system=None)
    for line in lines:
        indent = len(line) - len(line.lstrip(" -"))
        for number, piece in enumerate(Text(line).wrap(console, width - indent)):
            buffer.write((" " * indent if number else "") + piece.plain.rstrip() + "\n")
    return buffer.getvalue()
