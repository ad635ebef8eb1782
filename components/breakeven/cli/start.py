"""Where the command `breakeven` begins."""

from __future__ import annotations

import sys

import typer

from breakeven.cli.app import app
from breakeven.errors import ExitCode, UserError


def main() -> None:
    """Runs the command; a user's mistake is one message and an exit code, without a traceback."""
    try:
        app(prog_name="breakeven")
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        # Typer ends with 2 where an option is wrong; here that code says over budget.
        sys.exit(ExitCode.ERROR if ended.code == ExitCode.OVER_BUDGET else ended.code)
