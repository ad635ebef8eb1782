"""An archive as parts of one size, written and read as one stream."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import open_regular, partial_of

Count = Callable[[int], None]


def require_room(folder: Path, missing: int) -> None:
    """Raises BundleError if a folder's disk has less than `missing` bytes free."""
    free = shutil.disk_usage(folder).free
    if missing > free:
        msg = (
            f"{folder}: needs {missing:,} bytes but has {free:,} free. Free some space, then repeat"
        )
        raise BundleError(msg)


class PartWriter:
    """Writes a stream of known length into parts; existing parts are not rewritten.

    A part gets its name only when it is complete and on the disk.

    Args:
        folder: Where the parts lie.
        parts: Name and size of each.
    """

    def __init__(self, folder: Path, parts: list[tuple[str, int]]) -> None:
        self._folder = folder
        self._parts = parts
        self._number = -1
        self._left = 0
        self._stream: BinaryIO | None = None

    def write(self, content: bytes) -> None:
        """Writes the next bytes.

        Raises:
            BundleError: They cannot be written.
        """
        view = memoryview(content)
        while view:
            try:
                if not self._left:
                    self._next()
                piece = view[: self._left]
                if self._stream is not None:
                    self._stream.write(piece)
                self._left -= len(piece)
                if not self._left:
                    self._finish()
            except OSError as error:
                self.abandon()
                msg = (
                    f"{self._folder}: cannot write: {error.strerror}. Free some space, then repeat"
                )
                raise BundleError(msg) from error
            view = view[len(piece) :]

    def abandon(self) -> None:
        """Closes the open part; complete parts stay for the next run."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _next(self) -> None:
        self._number += 1
        name, self._left = self._parts[self._number]
        path = self._folder / name
        if path.is_file() and path.stat().st_size == self._left:
            return
        path.unlink(missing_ok=True)
        self._stream = partial_of(path).open("wb")

    def _finish(self) -> None:
        if self._stream is None:
            return
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        self._stream = None
        path = self._folder / self._parts[self._number][0]
        partial_of(path).replace(path)


class PartReader:
    """Reads parts as one stream.

    Args:
        folder: Where they lie.
        parts: Name and size of each.
        count: Called with the number of bytes read.
        start: Bytes of the stream to skip.
    """

    def __init__(
        self, folder: Path, parts: list[tuple[str, int]], count: Count, start: int = 0
    ) -> None:
        self._folder = folder
        self._parts = parts
        self._count = count
        self._skip = start
        self._number = -1
        self._left = 0
        self._stream: BinaryIO | None = None
        while self._number + 1 < len(parts) and self._skip >= parts[self._number + 1][1]:
            self._number += 1
            self._skip -= parts[self._number][1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    @property
    def part(self) -> Path:
        """The part that was last read."""
        return self._folder / self._parts[max(0, self._number)][0]

    def read(self, size: int) -> bytes:
        """Returns up to `size` bytes: fewer at the end of a part, none after the last part.

        Raises:
            BundleError: A part is missing, too short, or not a regular file.
        """
        if not self._left:
            if self._number + 1 == len(self._parts):
                return b""
            self._open_next()
        if self._stream is None:
            return b""
        try:
            content = self._stream.read(min(size, self._left))
        except OSError as error:
            msg = f"{self.part}: cannot read the file: {error.strerror}. Copy it again"
            raise BundleError(msg) from error
        if not content:
            msg = f"{self.part}: ends too early. Copy it again"
            raise BundleError(msg)
        self._left -= len(content)
        self._count(len(content))
        return content

    def exactly(self, size: int) -> bytes:
        """Returns exactly `size` bytes, across parts; fewer only at the end."""
        pieces = []
        while size and (piece := self.read(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _open_next(self) -> None:
        self._close()
        self._number += 1
        name, self._left = self._parts[self._number]
        path = self._folder / name
        try:
            self._stream = open_regular(path)
        except FileNotFoundError as error:
            msg = f"{path}: missing. Copy it again; the bundle has {len(self._parts)} parts"
            raise BundleError(msg) from error
        size = os.fstat(self._stream.fileno()).st_size
        if size != self._left:
            msg = f"{path}: has {size:,} bytes instead of {self._left:,}. Copy it again"
            raise BundleError(msg)
        self._stream.seek(self._skip)
        self._left -= self._skip
        self._skip = 0

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
