"""Writing files so that nobody ever finds half of one."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from breakeven.errors import UserError


class OutputError(UserError):
    """A file can't be written where it was asked for."""


def write_whole(path: Path, text: str) -> None:
    """Writes a file under a temporary name and moves it there; its mode stays, its last line ends.

    Raises:
        OutputError: It can't be written there.
    """
    with _beside(path, text) as beside:
        beside.chmod(path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        beside.replace(path)


def write_new(path: Path, text: str) -> None:
    """Writes a file that is not there yet, whole or not at all.

    Raises:
        OutputError: It is there, or can't be written there.
    """
    with _beside(path, text) as beside:
        beside.chmod(0o666 & ~_umask())
        # Unlike a rename, a link fails where another process was first.
        path.hardlink_to(beside)


def shown_path(path: Path) -> str:
    """Returns a path as a message names it: from the current folder where it lies in there."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


@contextmanager
def _beside(path: Path, text: str) -> Iterator[Path]:
    """Writes a text into a temporary file in the same folder, which is removed afterwards."""
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
        yield beside
    except FileExistsError as error:
        msg = f"{path} is there already and was left as it is. Name another, or remove it first"
        raise OutputError(msg) from error
    except OSError as error:
        way_out = {
            errno.ENOENT: f"Create the folder first: mkdir -p {path.parent}",
            errno.EISDIR: "Name a file, not a folder",
            errno.EACCES: f"Choose a folder that you may write to; {path.parent} is not",
            errno.EROFS: "Choose a folder that you may write to; this file system is read-only",
            errno.ENOSPC: "Free some space, or choose a folder on another disk",
        }.get(error.errno or 0, "Choose another file")
        msg = f"can't write {path}: {error.strerror}. {way_out}"
        raise OutputError(msg) from error
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
