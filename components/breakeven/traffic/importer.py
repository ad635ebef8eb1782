"""Reads logs of any kind, one after the other, into one tally."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from breakeven.traffic.errors import TrafficError
from breakeven.traffic.files import open_log, read_head
from breakeven.traffic.kind import Head, Import, Kind, Reader
from breakeven.traffic.kinds import detect
from breakeven.traffic.relative_time import Clock, TimeUnit
from breakeven.traffic.tally import SHOWN, Tally
from breakeven.traffic.values import TimeReader

SHOWN_MODELS = 10
"""Maximum number of models in a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How logs are read.

    Attributes:
        kind: Of all files; None to detect the kind of each.
        columns: Names of the user's columns, by field; empty for the usual ones.
        zone: Time zone of request logs that do not state one; exports are in UTC.
        latest: Epoch seconds; a later time is an error.
        max_bad_percent: Maximum share of bad rows, 0 to 100; a log with more is rejected.
        now: Epoch seconds of the import; a bucket that ends later is still running.
        models: Names of the models whose requests count; empty for all.
        start: Time 0 of logs with relative times.
        time_unit: Unit of relative times; None if the log states it.
    """

    kind: Kind | None
    columns: Mapping[str, str]
    zone: tzinfo
    latest: float
    max_bad_percent: float
    now: float = float("inf")
    models: frozenset[str] = frozenset()
    start: datetime | None = None
    time_unit: TimeUnit | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What was read.

    Attributes:
        tally: Counts and sums.
        kinds: Kind of each file, in their order.
        clock: What is known about time 0 of the logs.
        notes: Notes about the files.
    """

    tally: Tally
    kinds: tuple[Kind, ...]
    clock: Clock
    notes: tuple[str, ...]


def import_logs(
    paths: Sequence[Path], options: ImportOptions, advance: Callable[[int], None]
) -> Imported:
    """Reads logs into one tally, streaming: memory does not grow with the number of rows.

    Args:
        paths: Of the logs, in order of time.
        options: How to read them.
        advance: Called with the bytes of each read.

    Raises:
        TrafficError: A file cannot be read or is not of its kind, or too many rows are bad.
    """
    reader = _Reader(options)
    for path in paths:
        if list(paths).count(path) > 1:
            msg = f"{path}: given twice. Name each file once"
            raise TrafficError(msg)
    for path in paths:
        reader.read(path, advance)
    return reader.finish()


class _Reader:
    """Reads files one after another; each kind's reader continues from its previous file."""

    def __init__(self, options: ImportOptions) -> None:
        self._options = options
        self._shared = Import(
            tally=Tally(),
            utc=TimeReader(UTC, options.latest),
            local=TimeReader(options.zone, options.latest),
            columns=options.columns,
            models=options.models,
            start=options.start,
            time_unit=options.time_unit,
            now=options.now,
        )
        self._readers: dict[str, Reader] = {}
        self._kinds: list[Kind] = []

    def read(self, path: Path, advance: Callable[[int], None]) -> None:
        """Reads one file."""
        head = Head(read_head(path))
        if not head.text.strip():
            msg = f"{path}: empty file. Name a file with requests"
            raise TrafficError(msg)
        kind = self._options.kind or detect(head, own_columns=bool(self._options.columns))
        self._kinds.append(kind)
        if kind.name not in self._readers:
            self._readers[kind.name] = kind.reader(self._shared)
        self._shared.saved = _saved(path)
        with open_log(path, advance) as text:
            self._readers[kind.name].read(text, printable_name(path), head)

    def finish(self) -> Imported:
        """Checks everything that was read."""
        shared = self._shared
        for reader in self._readers.values():
            reader.finish()
        refuse_many_bad_rows(shared.tally, self._options.max_bad_percent)
        _refuse_other_models(shared)
        notes = (*shared.pages.notes(), *_running(shared.running))
        return Imported(shared.tally, tuple(self._kinds), _clock(shared.clocks), notes)


def _saved(path: Path) -> float:
    """Returns when a file was written, for buckets that were still running."""
    try:
        return path.stat().st_mtime
    except OSError:
        return float("inf")


def _refuse_other_models(shared: Import) -> None:
    """Raises TrafficError if none of the requested models is in the log."""
    absent = sorted(shared.models - shared.seen.keys())
    if not absent:
        return
    named = [f'"{model}"' for model, _ in shared.seen.most_common(SHOWN_MODELS) if model]
    found = f"It has {', '.join(named)}" if named else "It names no models; leave --model out"
    msg = f"no request to {', '.join(absent)} in the log. {found}"
    raise TrafficError(msg)


def _running(hours: set[float]) -> tuple[str, ...]:
    if not hours:
        return ()
    counted = ", ".join(f"{each:.1f}" for each in sorted(hours)[:SHOWN])
    note = (
        "the last bucket had not ended when it was saved: only the hours that had passed "
        f"({counted}) count as its time"
    )
    return (note,)


def _clock(clocks: set[Clock]) -> Clock:
    """Returns what is known about the times of all logs.

    Raises:
        TrafficError: Some logs have relative times, and others do not.
    """
    if len(clocks) > 1:
        msg = (
            "one log has relative times and another has absolute times. State when time 0 was, "
            "such as --start 2026-11-02, or import the logs separately"
        )
        raise TrafficError(msg)
    return next(iter(clocks), Clock.KNOWN)


def printable_name(path: Path) -> str:
    """Returns a file's name for messages and comments, always on one line."""
    return "".join(letter if letter.isprintable() else "?" for letter in path.name)


def describe_bad_rows(tally: Tally) -> list[str]:
    """Returns a line for each reason why rows are bad: their number, and the first three places."""
    described = []
    for reason, found in sorted(tally.bad.items(), key=lambda item: -item[1].count):
        more = f" and {found.count - SHOWN:,} more" if found.count > SHOWN else ""
        described.append(f"{reason}: {found.count:,} ({'; '.join(found.places)}{more})")
    return described


def refuse_many_bad_rows(tally: Tally, max_bad_percent: float) -> None:
    """Raises TrafficError if the share of bad rows, in percent, exceeds the limit."""
    bad = tally.bad_rows
    if bad * 100 <= max_bad_percent * tally.rows:
        return
    msg = "\n".join(
        [
            (
                f"{bad:,} of {tally.rows:,} rows are invalid, {100 * bad / tally.rows:.1f}%. "
                f"Allowed: {max_bad_percent:g}%. Nothing was written."
            ),
            *(f"  {line}" for line in describe_bad_rows(tally)),
            (
                "Fix the log, or name its columns with --columns, or allow more with "
                "--max-bad-percent."
            ),
        ]
    )
    raise TrafficError(msg)
