"""What a kind of log is: how it is recognized, and what reads it."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from io import StringIO
from typing import Protocol, TextIO

from breakeven.json_stream import JsonStreamError, entries
from breakeven.traffic.columns import plain
from breakeven.traffic.files import Rows, csv_rows, json_rows, page_rows
from breakeven.traffic.pages import Pages
from breakeven.traffic.relative_time import Clock, TimeUnit
from breakeven.traffic.tally import HOUR, MOST_MODELS, Tally
from breakeven.traffic.values import TimeReader

_WRAPPERS = ("data", "rows", "logs", "items", "records", "requests", "observations", "generations")
"""Members that hold the rows in answers of web APIs."""


@dataclass(frozen=True)
class Head:
    """The beginning of a log, which shows its kind.

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
        """Names of the columns, or keys of the first JSON object; without case or punctuation.

        If a document has its rows in a member, these are the keys of the document itself.
        """
        if self.is_json:
            return frozenset(plain(name) for name in self._outline[0])
        line = (self.text.splitlines() or [""])[0]
        separator = max(",;\t", key=line.count)
        header: list[str] = next(csv.reader([line], delimiter=separator), [])
        return frozenset(plain(name) for name in header)

    @property
    def member(self) -> str | None:
        """The member with the rows of a JSON document; None for a list of rows."""
        return self._outline[1] if self.is_json else None

    @cached_property
    def row_names(self) -> frozenset[str]:
        """Names of a row's columns or keys, wherever the rows are; without case or punctuation."""
        if self.member is None:
            return self.names
        return frozenset(plain(name) for name in self._outline[2])

    @cached_property
    def _outline(self) -> tuple[frozenset[str], str | None, frozenset[str]]:
        """Keys of the first object, the member with its rows, and the keys of the first row."""
        text = self.text.lstrip().removeprefix("[").lstrip()
        names: set[str] = set()
        try:
            for entry in entries(StringIO(text), {(), *((name,) for name in _WRAPPERS)}):
                names.add(entry.path[0])
                if entry.path[1:] == ("*",) and isinstance(entry.value, dict):
                    if not _one_a_line(text):
                        return frozenset(names), entry.path[0], frozenset(entry.value)
                    break
        except (JsonStreamError, RecursionError):
            pass  # the text is cut off at an arbitrary place
        first = _first_object(text)
        return frozenset(first or names), None, frozenset()

    def rows(self, text: TextIO, name: str, told: dict[str, object] | None = None) -> Rows:
        """Reads the rows of the whole log.

        Args:
            text: The log from its beginning.
            name: Of the file, for messages.
            told: Receives the other members of a document, such as its number of pages.
        """
        if self.member is not None:
            return page_rows(text, name, self.member, {} if told is None else told)
        if self.is_json:
            return json_rows(text, name, array=self.text.lstrip().startswith("["))
        return csv_rows(text)


@dataclass(slots=True, kw_only=True)
class Import:
    """What all logs of one import share.

    Attributes:
        tally: What is counted.
        utc: Parses the times of exports.
        local: Parses the times of request logs, which may be in another zone.
        columns: Names of the user's columns, by field; empty for the usual ones.
        models: Names of the models that count; empty for all.
        start: Moment of time 0 of logs whose times count from their own start.
        time_unit: Unit of relative times, if the user states it.
        now: Epoch seconds of the import.
        saved: Epoch seconds at which the current file was written.
        pages: Which pages of exports were read.
        seen: Requests of each model in the log, including models that are skipped.
        clocks: What is known about time 0 of each log.
        running: Hours of buckets that were still running when a file was saved.
    """

    tally: Tally
    utc: TimeReader
    local: TimeReader
    columns: Mapping[str, str]
    models: frozenset[str] = frozenset()
    start: datetime | None = None
    time_unit: TimeUnit | None = None
    now: float = float("inf")
    saved: float = float("inf")
    pages: Pages = field(default_factory=Pages)
    seen: Counter[str] = field(default_factory=Counter)
    clocks: set[Clock] = field(default_factory=set)
    running: set[float] = field(default_factory=set)

    def counts(self, model: str) -> bool:
        """Tells whether to count requests to a model, and records that it is in the log."""
        if model in self.seen or len(self.seen) < MOST_MODELS:
            self.seen[model] += 1
        return not self.models or model in self.models

    def ended(self, start: float, end: float) -> float:
        """Returns the end of an interval, or the time of the export if it was still running.

        Args:
            start: Epoch seconds.
            end: Epoch seconds.
        """
        told = min((moment for moment in (self.saved, self.now) if start < moment), default=end)
        if told >= end:
            return end
        self.running.add((told - start) / HOUR)
        return told


class Reader(Protocol):
    """Reads all logs of one kind, one after the other."""

    def read(self, text: TextIO, name: str, head: Head, /) -> None:
        """Counts a log.

        Raises:
            TrafficError: It cannot be read, or is of another kind.
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
        recognizes: Tells from the beginning of a log whether it is of this kind.
        reader: Creates the reader of an import's logs.
        takes_columns: Whether the user may state column names.
    """

    name: str
    recognizes: Callable[[Head], bool]
    reader: Callable[[Import], Reader]
    takes_columns: bool = False


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads logs whose rows are independent of each other.

    Attributes:
        shared: What all logs share.
        count: Counts the rows of one log; its name is for messages.
    """

    shared: Import
    count: Callable[[Rows, str, Import], None]

    def read(self, text: TextIO, name: str, head: Head) -> None:
        """Counts a log; see `Reader`."""
        told: dict[str, object] = {}
        self.count(head.rows(text, name, told), name, self.shared)
        self.shared.pages.add(name, told)

    def finish(self) -> None:
        """Has nothing to check."""


def _first_object(text: str) -> dict[str, object]:
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _one_a_line(text: str) -> bool:
    """Tells whether a JSON object ends with its line and another one follows."""
    line, _, rest = text.partition("\n")
    return bool(rest.lstrip()[:1] == "{" and _first_object(line))
