"""Entry point of `python3 tools/bootstrap`.

This file alone must parse on Pythons older than the project's own, so that they say what to
install instead of being shown a syntax error.
"""

import os
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)


def _refuse_unsupported_machine() -> None:
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(str(part) for part in sys.version_info[:3])
        sys.exit(
            f"error: {sys.executable} is too old to run this project\n"
            f"  found:   Python {found}\n"
            "  allowed: Python 3.11 or newer\n"
            "  next:    install it, then name it: make setup PYTHON=python3.11"
        )
    if os.name != "posix":
        sys.exit(
            f"error: this system ({sys.platform}) has no POSIX file locks\n"
            "  allowed: Linux, macOS, or Windows through WSL\n"
            "  next:    open a WSL shell and run the same command there"
        )


_refuse_unsupported_machine()

# `python3 tools/bootstrap` puts this folder itself on the path; the package is found in its parent.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from bootstrap.cli import main  # noqa: E402 (the path had to be set first)

sys.exit(main(sys.argv[1:]))
