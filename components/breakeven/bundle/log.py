"""A log of who did what with which digest, each line chained to the one before by its hash.

A changed, removed or inserted line breaks the chain. Missing lines at the end do not: keep the head
that `breakeven bundle log verify` prints, and give it to the next check.
"""

from __future__ import annotations

import errno
import fcntl
import getpass
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from pydantic import InstanceOf, Strict, TypeAdapter

from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import NOTHING_ELSE, sha256_of_bytes

START = "0" * 64

Text: TypeAlias = InstanceOf[str]
"""A text; unlike pydantic's own, it may hold a file's name that is not UTF-8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line.

    Attributes:
        sequence: From 1, without gaps.
        previous: SHA-256 of the line before, or zeros.
        time: UTC, ISO 8601.
        user: Of the operating system.
        host: Name of the machine.
        action: plan, pack, verify, unpack, load, fill, diff or keygen.
        subject: On what.
        digest: SHA-256 of lock, bundle or key.
        details: Further information, as text.
    """

    __pydantic_config__ = NOTHING_ELSE

    sequence: Annotated[int, Strict()]
    previous: Text
    time: Text
    user: Text
    host: Text
    action: Text
    subject: Text
    digest: Text
    details: Mapping[str, Text]

    def line(self) -> bytes:
        """Returns the line as written in the file, with its line end."""
        fields = ENTRY.dump_python(self)
        return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"


ENTRY: Final = TypeAdapter(LogEntry)
"""Writes and reads lines."""


def append(
    path: Path, action: str, subject: str, digest: str, details: Mapping[str, str]
) -> LogEntry:
    """Adds a line; two processes never chain to the same one.

    Raises:
        BundleError: The log cannot be written, or its chain is broken already.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b", buffering=0) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            stream.seek(0)
            content = stream.read()
            entries = parse(content, str(path))
            entry = LogEntry(
                sequence=len(entries) + 1,
                previous=head(entries),
                time=datetime.now(tz=UTC).isoformat(timespec="seconds"),
                user=_user(),
                host=socket.gethostname(),
                action=action,
                subject=subject,
                digest=digest,
                details=dict(details),
            )
            _write_whole(stream, entry.line(), len(content))
            os.fsync(stream.fileno())
    except OSError as error:
        msg = f"{path}: cannot write: {error.strerror}. Name another file: --log FILE"
        raise BundleError(msg) from error
    return entry


def _write_whole(stream: FileIO, line: bytes, size: int) -> None:
    """Adds a whole line to a log of that size, or nothing: half a line would break the chain."""
    if stream.write(line) != len(line):
        stream.truncate(size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _user() -> str:
    """Returns the current user: by name, or by number if the machine has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry for it, as in many containers
        return f"uid {os.getuid()}"


def read_log(path: Path) -> tuple[LogEntry, ...]:
    """Reads a log and checks its chain.

    Raises:
        BundleError: It is missing, or broken; names the line.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot read the file: {error.strerror}. Name the log: --log FILE"
        raise BundleError(msg) from error
    return parse(content, str(path))


def parse(content: bytes, where: str) -> tuple[LogEntry, ...]:
    """Reads the lines of a log and checks their chain.

    Raises:
        BundleError: Names the first line that breaks it.
    """
    entries: list[LogEntry] = []
    previous = START
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        try:
            entry = ENTRY.validate_python(json.loads(line))
        except ValueError as error:  # of the JSON, or of the entry
            msg = f"{where}: line {number} is not a log entry; it was changed or truncated"
            raise BundleError(msg) from error
        if entry.line() != line or entry.sequence != number or entry.previous != previous:
            msg = (
                f"{where}: the chain is broken at line {number}: this line or an earlier one was "
                "changed, removed or added"
            )
            raise BundleError(msg)
        previous = sha256_of_bytes(line)
        entries.append(entry)
    return tuple(entries)


def head(entries: tuple[LogEntry, ...]) -> str:
    """Returns the hash of the last line, which covers all lines before it."""
    return sha256_of_bytes(entries[-1].line()) if entries else START


def require_head(entries: tuple[LogEntry, ...], known: str, where: str) -> None:
    """Checks that a head noted earlier is still in the chain, so that no lines were cut off.

    Raises:
        BundleError: It is not.
    """
    heads = {sha256_of_bytes(entry.line()) for entry in entries} | {START}
    if known not in heads:
        msg = (
            f"{where}: the entry {known} is missing: lines were removed at the end, or all were "
            "replaced"
        )
        raise BundleError(msg)
