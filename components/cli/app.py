"""Puts the commands together; each lives in a module of its own."""

from __future__ import annotations

import sys

import typer

from components.cli.bundle import bundle
from components.cli.check import check
from components.cli.diff import diff
from components.cli.doctor import doctor
from components.cli.estimate import estimate
from components.cli.evidence import evidence
from components.cli.init import init
from components.cli.model import model
from components.cli.prices import prices
from components.cli.recommend import recommend
from components.cli.reconcile import reconcile
from components.cli.report import report
from components.cli.simulate import simulate
from components.cli.traffic import traffic
from components.cli.uncertainty import ranges
from components.errors import ExitCode, UserError

app = typer.Typer(
    name="breakeven",
    help="What self-hosting an open model really costs, beside what the API costs.\n\n"
    "Example: breakeven estimate dev",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


app.command()(init)
app.command()(estimate)
app.command()(recommend)
app.command()(ranges)
app.command()(simulate)
app.command()(report)
app.command()(diff)
app.command()(model)
app.command()(reconcile)
app.command()(evidence)
app.command()(check)
app.command()(doctor)
app.add_typer(traffic)
app.add_typer(prices)
app.add_typer(bundle)


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
