"""`breakeven doctor`: what is missing on this machine, and the command that gets it."""

from __future__ import annotations

import subprocess
import sys

import typer

from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.errors import UserError
from breakeven.settings.files import ROOT


class NoCheckoutError(UserError):
    """The command was installed without the repository whose tools it asks."""

    def __init__(self) -> None:
        super().__init__(
            "breakeven was installed as a package, which has no tools to look at. Type it in a "
            "checkout of the repository: make doctor"
        )


def doctor(
    output_format: FormatOption = Format.TEXT,
) -> None:
    """List what is missing on this machine and how to get it.

    Changes nothing.

    Exit code: 1 if something is missing that a preview needs. If packages are missing, run make
    doctor.

    Example: breakeven doctor --format json
    """
    bootstrap = ROOT / "tools" / "bootstrap"
    if not bootstrap.is_dir():
        raise NoCheckoutError
    # A program of its own: it has to run where this package and its dependencies are missing.
    command = [sys.executable, str(bootstrap), "doctor", "--format", str(output_format)]
    raise typer.Exit(subprocess.run(command, check=False).returncode)
