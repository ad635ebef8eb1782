"""`breakeven bundle log`: shows and checks the log of actions by user and digest."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from breakeven.bundle.log import head, read_log, require_head
from breakeven.cli.bundle.options import LOG, Log
from breakeven.cli.documents.writing import as_json
from breakeven.cli.options.output_format import Format, FormatOption

log = typer.Typer(
    name="log",
    help="Show or verify the hash-chained log of actions, users, and digests.\n\n"
    "Example: breakeven bundle log show",
    no_args_is_help=True,
)


@log.command()
def verify(
    file: Annotated[
        Path | None, typer.Argument(help="Log file, same as --log.", show_default=False)
    ] = None,
    log_file: Log = LOG,
    known: Annotated[
        str,
        typer.Option(
            "--head", help="Head of an earlier check, which the chain must still contain."
        ),
    ] = "",
) -> None:
    """Check the chain. Keep the printed head: with it, the next check detects removed lines.

    Example: breakeven bundle log verify --head 3f1c...
    """
    path = file or log_file
    entries = read_log(path)
    if known:
        require_head(entries, known, str(path))
    number = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
    typer.echo(f"{number}, chain unbroken; head {head(entries)}")


@log.command()
def show(
    log_file: Log = LOG,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Print the log, oldest first, after checking its chain.

    Example: breakeven bundle log show --format json
    """
    entries = read_log(log_file)
    if output_format is Format.JSON:
        typer.echo(as_json("bundle-log", {"entries": [asdict(entry) for entry in entries]}))
        return
    for entry in entries:
        typer.echo(f"{entry.time}  {entry.user}@{entry.host}  {entry.action}  {entry.subject}")
        typer.echo(f"  {entry.digest}")
