"""Shows on standard error that a slow command is working."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from breakeven.cli.progress.byte_progress import QUIET_SECONDS
from breakeven.cli.progress.terminal import whole


@contextmanager
def waiting(doing: str) -> Iterator[None]:
    """Shows the current task: a spinner on a terminal; otherwise one line after two seconds.

    Args:
        doing: Such as "Weighing configurations".
    """
    if sys.stderr.isatty():
        with Console(file=whole(sys.stderr)).status(f"{doing} …"):
            yield
        return
    timer = threading.Timer(QUIET_SECONDS, typer.echo, [f"{doing} …"], {"err": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
