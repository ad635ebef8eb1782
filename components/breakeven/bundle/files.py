"""Reading and writing in blocks, so that memory does not depend on the size of a file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ConfigDict

from breakeven.bundle.errors import BundleError

BLOCK = 4 * 1024 * 1024
"""Bytes per read."""

NOTHING_ELSE = ConfigDict(extra="forbid")
"""For the documents of a bundle: an undefined key is an error."""


def blocks(stream: BinaryIO, size: int | None = None) -> Iterator[bytes]:
    """Yields a stream, or its next `size` bytes, in blocks."""
    left = size
    while block := stream.read(BLOCK if left is None else min(BLOCK, left)):
        if left is not None:
            left -= len(block)
        yield block


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        for block in blocks(stream):
            digest.update(block)
    return digest.hexdigest()


def sha256_of_bytes(content: bytes) -> str:
    """Returns the SHA-256 of some bytes as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def canonical_json(value: Any) -> bytes:
    """Returns JSON that is the same bytes for the same value."""
    text = json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True)
    return f"{text}\n".encode()


def read_regular(
    path: Path, limit: int, missing: str = "missing. Copy the whole folder of the bundle again"
) -> bytes:
    """Returns a small file; never follows a link.

    Args:
        path: Of the file.
        limit: Maximum size in bytes.
        missing: Message if it does not exist.

    Raises:
        BundleError: It is missing, not a regular file, or larger.
    """
    try:
        with open_regular(path) as stream:
            content = stream.read(limit + 1)
    except FileNotFoundError as error:
        msg = f"{path}: {missing}"
        raise BundleError(msg) from error
    if len(content) > limit:
        msg = f"{path}: larger than {limit} bytes, the limit for this file. Copy it again"
        raise BundleError(msg)
    return content


def open_regular(path: Path) -> BinaryIO:
    """Opens a regular file for reading; never follows a link.

    Raises:
        FileNotFoundError: It does not exist.
        BundleError: It is a link, a folder or a device, or cannot be read.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        msg = f"{path}: not a regular file. Copy the bundle again, as regular files"
        raise BundleError(msg)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise BundleError(msg) from error
    return os.fdopen(descriptor, "rb")


def forget(stream: BinaryIO) -> None:
    """Drops a file from the system's cache, so that the next read is from the disk."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def partial_of(path: Path) -> Path:
    """Returns the temporary path of a file that is being written."""
    return path.with_name(f".{path.name}.partial")


@contextmanager
def whole_file(path: Path, mode: int = 0o644, *, new: bool = False) -> Iterator[BinaryIO]:
    """Writes a file under a temporary name and renames it once it is complete on the disk.

    Args:
        path: Its final path.
        mode: Its permissions.
        new: Whether an existing file is an error and stays unchanged.

    Raises:
        BundleError: It cannot be written, for example because the disk is full, or it exists.
    """
    beside = partial_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.chmod(mode)
        if new:
            _move_to_free_place(beside, path)
        else:
            beside.replace(path)
    except OSError as error:
        msg = (
            f"cannot write {path}: {error.strerror}. Free some space or name another folder, "
            "then repeat"
        )
        raise BundleError(msg) from error
    finally:
        beside.unlink(missing_ok=True)


def _move_to_free_place(beside: Path, path: Path) -> None:
    try:
        path.hardlink_to(beside)  # unlike a rename, it fails if another process was first
    except FileExistsError as error:
        msg = f"{path}: already exists and was not changed. Name another file"
        raise BundleError(msg) from error


def write_bytes(path: Path, content: bytes, mode: int = 0o644, *, new: bool = False) -> None:
    """Writes a small file at once; `mode` and `new` as in `whole_file`.

    Raises:
        BundleError: It cannot be written, or exists.
    """
    with whole_file(path, mode, new=new) as stream:
        stream.write(content)
