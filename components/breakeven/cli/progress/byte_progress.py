"""Progress of reading files, by bytes, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from breakeven.cli.progress.terminal import whole

QUIET_SECONDS = 2.0
"""Seconds between lines without a terminal, and before the first."""


@contextmanager
def byte_progress(total: int) -> Iterator[Callable[[int], None]]:
    """Shows how many of `total` bytes are read; call the yielded function after each read.

    A bar on a terminal; otherwise a line every two seconds.
    """
    if not sys.stderr.isatty():
        yield _Lines(total).advance
        return
    columns = (TextColumn("Reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=whole(sys.stderr)), transient=True) as progress:
        task = progress.add_task("read", total=total)
        yield lambda count: progress.advance(task, count)


class _Lines:
    """Progress as plain lines."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._read = 0
        self._next = time.monotonic() + QUIET_SECONDS

    def advance(self, count: int) -> None:
        """Counts bytes, and prints a line if it is time."""
        self._read += count
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + QUIET_SECONDS
            typer.echo(f"read {self._read / max(1, self._total):.0%}", err=True)
