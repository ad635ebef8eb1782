"""Puts the commands together; each lives in a module of its own."""

from __future__ import annotations

import sys

import typer

from breakeven.cli.bundle.command import bundle
from breakeven.cli.check.command import check
from breakeven.cli.diff import diff
from breakeven.cli.doctor import doctor
from breakeven.cli.estimate import estimate
from breakeven.cli.evidence import evidence
from breakeven.cli.init.command import init
from breakeven.cli.model import model
from breakeven.cli.prices.command import prices
from breakeven.cli.recommend.command import recommend
from breakeven.cli.reconcile import reconcile
from breakeven.cli.report import report
from breakeven.cli.sensitivity import ranges
from breakeven.cli.simulate import simulate
from breakeven.cli.traffic.command import traffic
from breakeven.errors import ExitCode, UserError

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
