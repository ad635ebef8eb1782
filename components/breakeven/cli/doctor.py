"""`breakeven doctor`: lists missing programs, and the commands that install them."""

from __future__ import annotations

import subprocess
import sys

import typer

from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.errors import UserError
from breakeven.settings.files import ROOT


class NoCheckoutError(UserError):
    """The command was installed without the repository, whose tools it needs."""

    def __init__(self) -> None:
        super().__init__(
            "breakeven was installed as a package, which does not include the tools. In a "
            "checkout of the repository, run: make doctor"
        )


def doctor(
    output_format: FormatOption = Format.TEXT,
) -> None:
    """List programs missing on this machine, and how to install them.

    Changes nothing.

    Exit code: 1 if something is missing that a preview needs. If packages are missing, run make
    doctor.

    Example: breakeven doctor --format json
    """
    bootstrap = ROOT / "tools" / "bootstrap"
    if not bootstrap.is_dir():
        raise NoCheckoutError
    # A separate program, because it must run without this package and its dependencies.
    command = [sys.executable, str(bootstrap), "doctor", "--format", str(output_format)]
    raise typer.Exit(subprocess.run(command, check=False).returncode)
