"""Writing files atomically."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from breakeven.errors import UserError


class OutputError(UserError):
    """A file cannot be written to a path."""


def write_whole(path: Path, text: str) -> None:
    """Writes a file under a temporary name and renames it. Keeps its mode; ends its last line.

    Raises:
        OutputError: The file cannot be written.
    """
    with _beside(path, text) as beside:
        beside.chmod(path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        beside.replace(path)


def write_new(path: Path, text: str) -> None:
    """Writes a new file, completely or not at all.

    Raises:
        OutputError: The file exists, or cannot be written.
    """
    with _beside(path, text) as beside:
        beside.chmod(0o666 & ~_umask())
        # Unlike a rename, a link fails if another process was first.
        path.hardlink_to(beside)


def shown_path(path: Path) -> str:
    """Returns a path for a message: relative if it is in the current folder."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


@contextmanager
def _beside(path: Path, text: str) -> Iterator[Path]:
    """Writes text to a temporary file in the same folder, which is removed afterwards."""
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
        msg = f"{path} already exists and was not changed. Name another file, or remove it first"
        raise OutputError(msg) from error
    except OSError as error:
        way_out = {
            errno.ENOENT: f"Create the folder first: mkdir -p {path.parent}",
            errno.EISDIR: "Name a file, not a folder",
            errno.EACCES: f"Choose a folder that you can write to; {path.parent} is read-only "
            "for you",
            errno.EROFS: "Choose a folder that you can write to; this file system is read-only",
            errno.ENOSPC: "Free some space, or choose a folder on another disk",
        }.get(error.errno or 0, "Choose another file")
        msg = f"cannot write {path}: {error.strerror}. {way_out}"
        raise OutputError(msg) from error
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
