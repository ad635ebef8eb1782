"""Opens logs, plain or gz, and reads their rows one by one."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, TextIO

from breakeven.json_stream import Entry, JsonStreamError, entries
from breakeven.traffic.errors import TrafficError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LONGEST_ROW = 16 * 2**20
"""Maximum length of a row, including a prompt; a longer text is not a row."""

Row = list[str] | dict[str, object] | None
"""Fields of a CSV row, an object of JSON, or None where a line is neither."""
Rows = Iterator[tuple[int, Row]]
"""Line number and row."""

_CHUNK = 2**16
_HEAD = 2**16


class _Counted(io.RawIOBase):
    """A file that reports how many of its compressed bytes were read."""

    def __init__(self, file: IO[bytes], advance: Callable[[int], None]) -> None:
        self._file = file
        self._advance = advance

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        data = self._file.read(len(view))
        view[: len(data)] = data
        self._advance(len(data))
        return len(data)


@contextmanager
def open_log(path: Path, advance: Callable[[int], None]) -> Iterator[TextIO]:
    """Opens a log as text; gz is recognized by its first bytes, not by its name.

    Args:
        path: Of the log.
        advance: Called with the number of bytes of each read, as on the disk.

    Raises:
        TrafficError: The file cannot be read, or its compressed data is damaged.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            counted = io.BufferedReader(_Counted(file, advance), _CHUNK)
            binary = gzip.GzipFile(fileobj=counted) if packed else counted
            # Bytes that are not UTF-8 can only be in text that is not kept.
            with io.TextIOWrapper(
                binary, encoding="utf-8-sig", errors="replace", newline=""
            ) as text:
                yield text
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        msg = f"{path}: its compressed data is damaged or cut off. Copy the file again"
        raise TrafficError(msg) from error
    except OSError as error:
        msg = (
            f"{path}: cannot read the file: {error.strerror}. Name existing files that you can read"
        )
        raise TrafficError(msg) from error


def read_head(path: Path) -> str:
    """Returns the beginning of a log, which shows its kind.

    Raises:
        TrafficError: The file cannot be read, or its compressed data is damaged.
    """
    with open_log(path, lambda _bytes: None) as text:
        return text.read(_HEAD)


def csv_rows(text: TextIO) -> Iterator[tuple[int, Row]]:
    """Reads a CSV file, its header first; yields line number and fields, None for a broken row.

    The separator (comma, semicolon or tab) is the one that occurs most in the header.
    """
    before = csv.field_size_limit(LONGEST_ROW)
    try:
        yield from _csv_rows(text)
    finally:
        # The limit applies to the whole process, which also reads prices from CSV.
        csv.field_size_limit(before)


def _csv_rows(text: TextIO) -> Iterator[tuple[int, Row]]:
    header = text.readline(LONGEST_ROW)
    separator = max(",;\t", key=header.count)
    yield 1, next(csv.reader([header], delimiter=separator), [])
    rows = csv.reader(text, delimiter=separator)
    while True:
        try:
            fields = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield rows.line_num + 1, None
            continue
        if fields:
            yield rows.line_num + 1, fields


def json_rows(text: TextIO, name: str, *, array: bool) -> Iterator[tuple[int, Row]]:
    """Reads one JSON object per line, or the objects of one array; yields line number and object.

    Raises:
        TrafficError: An array is malformed or cut off.
    """
    if not array:
        yield from _line_rows(text)
        return
    for entry in json_entries(text, name, {()}):
        yield entry.line, entry.value if isinstance(entry.value, dict) else None


def page_rows(text: TextIO, name: str, member: str, told: dict[str, object]) -> Rows:
    """Reads the rows in one member of a JSON document, or of each document of an array.

    Args:
        text: The document from its beginning.
        name: Of the file, for messages.
        member: Of the rows.
        told: Receives all other members, by dotted path; the last page wins.

    Raises:
        TrafficError: It is malformed or cut off.
    """
    for entry in json_entries(text, name, {(), (member,), ("*",), ("*", member)}):
        path = entry.path[1:] if entry.path[0] == "*" else entry.path
        if path == (member, "*"):
            yield entry.line, entry.value if isinstance(entry.value, dict) else None
        elif isinstance(entry.value, dict):
            told |= {f"{'.'.join(path)}.{key}": value for key, value in entry.value.items()}
        else:
            told[".".join(path)] = entry.value


def json_entries(text: TextIO, name: str, entered: Collection[tuple[str, ...]]) -> Iterator[Entry]:
    """Reads a JSON document member by member with `breakeven.json_stream`.

    Raises:
        TrafficError: It is malformed or cut off.
    """
    try:
        yield from entries(text, entered)
    except (JsonStreamError, RecursionError) as error:
        line = f" at line {error.line}" if isinstance(error, JsonStreamError) else ""
        msg = f"{name}: its JSON is malformed or cut off{line}. Export it again"
        raise TrafficError(msg) from error


def _line_rows(text: TextIO) -> Iterator[tuple[int, Row]]:
    number, line = 1, text.readline(LONGEST_ROW)
    while line:
        whole = _ends(line)
        if line.strip():
            yield number, _object(line) if whole else None
        while not whole:
            whole = _ends(text.readline(LONGEST_ROW))
        number, line = number + 1, text.readline(LONGEST_ROW)


def _ends(line: str) -> bool:
    return line.endswith(("\n", "\r")) or len(line) < LONGEST_ROW


def _object(line: str) -> dict[str, object] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
