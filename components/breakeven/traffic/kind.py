"""What a kind of log is: how it is recognized, and what reads it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TextIO

from breakeven.traffic.columns import plain
from breakeven.traffic.files import Rows, csv_rows, json_rows
from breakeven.traffic.tally import Tally
from breakeven.traffic.values import TimeReader


@dataclass(frozen=True)
class Head:
    """The beginning of a log, by which its kind is recognized.

    Attributes:
        text: Its first characters.
    """

    text: str

    @property
    def is_json(self) -> bool:
        """Whether the log is JSON, not CSV."""
        return self.text.lstrip()[:1] in ("{", "[")

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the columns, or of the first JSON object's keys; without case or punctuation."""
        if self.is_json:
            return frozenset(plain(name) for name in _first_object(self.text))
        line = (self.text.splitlines() or [""])[0]
        separator = max(",;\t", key=line.count)
        header: list[str] = next(csv.reader([line], delimiter=separator), [])
        return frozenset(plain(name) for name in header)

    def rows(self, text: TextIO, name: str) -> Rows:
        """Reads the rows of the whole log.

        Args:
            text: The log from its beginning.
            name: Of the file, for messages.
        """
        if self.is_json:
            return json_rows(text, name, array=self.text.lstrip().startswith("["))
        return csv_rows(text)


@dataclass(slots=True, kw_only=True)
class Import:
    """What all logs of one import share.

    Attributes:
        tally: What is counted.
        utc: Reads the times of exports.
        local: Reads the times of request logs, which may be in another zone.
        columns: Names of the user's columns, by field; empty for the usual ones.
        incomplete: Last file of an export whose end says that more follows.
    """

    tally: Tally
    utc: TimeReader
    local: TimeReader
    columns: Mapping[str, str]
    incomplete: str | None = None


class Reader(Protocol):
    """Reads all logs of one kind, one after the other."""

    def read(self, text: TextIO, name: str, head: Head, /) -> None:
        """Counts a log.

        Raises:
            TrafficError: It can't be read, or is of another kind.
        """

    def finish(self) -> None:
        """Judges what was read as a whole.

        Raises:
            TrafficError: Something is missing.
        """


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of log.

    Attributes:
        name: As --kind takes it.
        recognizes: Tells by the beginning of a log whether it is of this kind.
        reader: Makes what reads the logs of an import.
        takes_columns: Whether the user may name its columns.
    """

    name: str
    recognizes: Callable[[Head], bool]
    reader: Callable[[Import], Reader]
    takes_columns: bool = False


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads logs whose rows stand for themselves.

    Attributes:
        shared: What all logs share.
        count: Counts the rows of one log; its name is for messages.
    """

    shared: Import
    count: Callable[[Rows, str, Import], None]

    def read(self, text: TextIO, name: str, head: Head) -> None:
        """Counts a log; see `Reader`."""
        self.count(head.rows(text, name), name, self.shared)

    def finish(self) -> None:
        """Has nothing to judge."""


def _first_object(head: str) -> dict[str, object]:
    try:
        value, _ = json.JSONDecoder().raw_decode(head.lstrip().removeprefix("[").lstrip())
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
