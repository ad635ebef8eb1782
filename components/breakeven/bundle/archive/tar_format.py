"""A tar archive in one fixed form: the same files always give the same bytes.

Because every byte of a header follows from name, size and mode, a reader compares headers instead
of interpreting them: nothing in an archive can name another place, a link or an owner.
"""

from __future__ import annotations

import tarfile

BLOCK_SIZE = 512
END = bytes(2 * BLOCK_SIZE)


def file_header(path: str, size: int, *, executable: bool = False) -> bytes:
    """Returns the header of a file; `size` in bytes. GNU's format does not limit sizes."""
    entry = tarfile.TarInfo(path)
    entry.size = size
    entry.mode = 0o755 if executable else 0o644
    return entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")


def folder_header(path: str) -> bytes:
    """Returns the header of a folder."""
    entry = tarfile.TarInfo(path)
    entry.type = tarfile.DIRTYPE
    entry.mode = 0o755
    return entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")


def padding(size: int) -> bytes:
    """Returns the zeros that follow a file of `size` bytes."""
    return bytes(-size % BLOCK_SIZE)
