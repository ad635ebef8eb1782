"""Writing files so that nobody ever finds half of one."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from components.errors import UserError


class OutputError(UserError):
    """A file can't be written where it was asked for."""


def write_whole(path: Path, text: str) -> None:
    """Writes a file beside its place and moves it there; its mode stays, its last line ends.

    Raises:
        OutputError: It can't be written there.
    """
    beside: Path | None = None
    try:
        with NamedTemporaryFile(
            "w",
            encoding="utf-8",
            newline="",
            dir=path.parent,
            prefix=f".{path.name}.",
            delete=False,
        ) as file:
            beside = Path(file.name)
            file.write(text if text.endswith("\n") else f"{text}\n")
        beside.chmod(path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        beside.replace(path)
    except OSError as error:
        if beside is not None:
            beside.unlink(missing_ok=True)
        msg = f"can't write {path}: {error.strerror}. Allowed: a file in a folder that is there"
        raise OutputError(msg) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
