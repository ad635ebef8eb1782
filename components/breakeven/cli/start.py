"""Entry point of the command `breakeven`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Runs the command; prints a user error as one message with an exit code, without traceback."""
    if "_BREAKEVEN_COMPLETE" in os.environ:
        from breakeven.cli.quick_completion import quick_answer  # noqa: PLC0415  # after Tab alone

        offered = quick_answer(os.environ)
        if offered is not None:
            sys.stdout.write("".join(f"{name}\n" for name in offered))
            sys.exit(0)
    import typer  # noqa: PLC0415  # a Tab for a name needs neither

    from breakeven.cli.app import app  # noqa: PLC0415  # likewise
    from breakeven.cli.progress.terminal import guarded  # noqa: PLC0415  # likewise
    from breakeven.errors import ExitCode, UserError  # noqa: PLC0415  # likewise
    from breakeven.printable import printable  # noqa: PLC0415  # likewise

    sys.stdout, sys.stderr = guarded(sys.stdout), guarded(sys.stderr)

    # No code here multiplies matrices, and numpy takes a tenth of a second to start its threads.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        app(prog_name="breakeven")
    except UserError as error:
        typer.echo(f"error: {printable(str(error))}", err=True)
        sys.exit(error.exit_code)
    except RecursionError:
        typer.echo("error: a file is nested too deeply. Give it as its program wrote it", err=True)
        sys.exit(ExitCode.ERROR)
    except SystemExit as ended:
        # Typer ends with 2 if an option is invalid; here that code means over budget.
        sys.exit(ExitCode.ERROR if ended.code == ExitCode.OVER_BUDGET else ended.code)
