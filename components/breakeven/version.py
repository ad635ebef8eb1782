"""The version of this program."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from importlib import metadata
from pathlib import Path


def program_version(root: Path) -> str:
    """Returns the version that a checkout states, or the installed package has, or "unknown".

    Args:
        root: Folder of the project; without a pyproject.toml the package is an installed one, or a
            part of a checkout that somebody copied.
    """
    stated = root / "pyproject.toml"
    if not stated.is_file():
        with suppress(metadata.PackageNotFoundError):
            return metadata.version("breakeven")
        return "unknown"
    return str(tomllib.loads(stated.read_text(encoding="utf-8"))["project"]["version"])
