"""Puts the commands together; each lives in a module of its own."""

from __future__ import annotations

import sys

import typer

from components.cli.estimate import estimate
from components.errors import UserError

app = typer.Typer(
    name="breakeven",
    help="What self-hosting an open model really costs, beside what the API costs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _group() -> None:
    """A callback keeps `estimate` a command of its own while it is the only one."""


app.command()(estimate)


def main() -> None:
    """Runs the command; a user's mistake is one message and an exit code, without a traceback."""
    try:
        app()
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
