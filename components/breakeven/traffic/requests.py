"""Request logs: one row per request, with the column names of gateways and servers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Protocol

from breakeven.traffic.calls import model_name, other_call
from breakeven.traffic.columns import (
    CACHE_READ,
    CACHE_WRITTEN,
    NEEDED,
    TOTAL,
    USUAL,
    Columns,
    Found,
    Getter,
    find_column,
    optional_getter,
    sibling_getter,
)
from breakeven.traffic.errors import BadRowError, TrafficError
from breakeven.traffic.files import Row, Rows
from breakeven.traffic.kind import Head, Import, Kind, RowReader
from breakeven.traffic.relative_time import (
    FIRST_ROWS,
    Clock,
    RelativeTimes,
    TimeUnit,
    is_relative,
    unit_of,
    unknown_start,
)
from breakeven.traffic.tally import Tally
from breakeven.traffic.values import LARGEST_REQUEST, TimeReader, read_count, read_tokens, read_usd

NOT_FOUND_ROWS = 1_000
"""Number of JSON rows to search for the columns; the first ones may be failed requests."""

NO_TOKENS = "no tokens, such as a request that failed"
OTHER_MODEL = "request to another model"


class Times(Protocol):
    """Converts a log's timestamp to epoch seconds."""

    def __call__(self, value: object, /) -> float:
        """Returns epoch seconds.

        Raises:
            BadRowError: It cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Getters:
    """How each field is read from a row.

    Attributes:
        cached: Input tokens found in a prefix cache, which are part of the input.
        cache_read: The same, if they are not part of the input.
        cache_written: Input tokens written to a cache, not part of the input.
        total: All tokens of the request, which show whether cached ones are part of the input.
        column: Name of the time column.
    """

    timestamp: Getter
    input: Getter
    output: Getter
    cached: Getter
    cache_read: Getter
    cache_written: Getter
    total: Getter
    model: Getter
    call: Getter
    spend: Getter
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLog:
    """How to read a kind of request log.

    Attributes:
        columns: Names of its columns.
        adapted: Changes how fields are read, for values that are not in one column.
        left_out: Returns why a row is not a request to a model; None if it is one.
        unit: Of relative times, if known.
        clock: What is known about time 0 of such a log.
        utc: Whether times without a zone are in UTC instead of the user's zone.
    """

    columns: Columns
    adapted: Callable[[Getters], Getters] = lambda getters: getters
    left_out: Callable[[Row, Getters], str | None] = lambda _row, _getters: None
    unit: TimeUnit | None = None
    clock: Clock = Clock.UNKNOWN
    utc: bool = True

    def count(self, rows: Rows, name: str, shared: Import) -> None:
        """Counts a log with one row per request.

        Raises:
            TrafficError: The columns are missing, or its relative times have an unknown start.
        """
        times = shared.utc if self.utc else shared.local
        found, rows = located(rows, name, self.columns, shared.tally)
        getters = self.adapted(found)
        first = list(islice(rows, FIRST_ROWS))
        relative = self._relative([getters.timestamp(row) for _, row in first], getters, shared)
        read: Times = relative or times
        for line, row in chain(first, rows):
            try:
                reason = self.left_out(row, getters)
                if reason:
                    shared.tally.leave_out(reason)
                else:
                    count_request(row, getters, read, shared)
            except BadRowError as error:
                shared.tally.reject(str(error), f"{name} line {line}")
        if relative:
            relative.finish(name)
        shared.clocks.add(_clock(self.clock, shared.start) if relative else Clock.KNOWN)

    def _relative(
        self, values: list[object], getters: Getters, shared: Import
    ) -> RelativeTimes | None:
        if not is_relative(values):
            return None
        unit = shared.time_unit or self.unit or unit_of(getters.column, values)
        zone = shared.local.zone
        start = unknown_start(zone) if shared.start is None else _epoch(shared.start, shared.local)
        return RelativeTimes(unit, start, shared.local.latest)


def count_request(row: Row, getters: Getters, times: Times, shared: Import) -> None:
    """Counts one request.

    Raises:
        BadRowError: Its time or a count cannot be read.
    """
    if row is None:
        msg = "row cannot be read"
        raise BadRowError(msg)
    moment = times(getters.timestamp(row))
    read, written, cached = _tokens(row, getters)
    if read + written > LARGEST_REQUEST:
        msg = f"more than {LARGEST_REQUEST:,} tokens in a request"
        raise BadRowError(msg)
    tally, model = shared.tally, model_name(getters.model(row))
    if not read + written:
        tally.leave_out(NO_TOKENS)
        return
    reason = other_call(getters.call(row), model)
    if reason or not shared.counts(model):
        tally.leave_out(reason or OTHER_MODEL)
        return
    spend = read_usd(getters.spend(row))
    tally.request(moment, read, written, cached, model=model, spend=spend)
    tally.rows += 1


def _tokens(row: Row, getters: Getters) -> tuple[int, int, int | None]:
    """Reads input, output and cached tokens; adds what is reported separately from the input."""
    found = read_count(getters.cache_read(row), "cached tokens")
    put = read_count(getters.cache_written(row), "tokens written to a cache") or 0
    if found is None and not put:
        return read_tokens(getters.input(row), getters.output(row), getters.cached(row))
    read, written, _ = read_tokens(getters.input(row), getters.output(row), None)
    read_of_cache = found or 0
    total = read_count(getters.total(row), "total tokens")
    if total is None or total != read + written:
        read += read_of_cache + put
    return read_tokens(read, written, read_of_cache)


def located(rows: Rows, name: str, columns: Columns, tally: Tally) -> tuple[Getters, Rows]:
    """Finds the columns in the header or in the first JSON object that has them.

    Returns:
        How to read each field, and the remaining rows.

    Raises:
        TrafficError: The columns are missing.
    """
    lacking: list[str] = list(NEEDED)
    for tried, (line, row) in enumerate(rows):
        found = {field: find_column(row, getattr(columns, field)) for field in NEEDED}
        lacking = [field for field in NEEDED if found[field] is None]
        columns_found = [column for column in found.values() if column is not None]
        if not lacking:
            getters = _getters(row, columns, columns_found)
            # A header is not a request; a JSON object is.
            return getters, rows if isinstance(row, list) else chain([(line, row)], rows)
        if isinstance(row, list) or tried == NOT_FOUND_ROWS:
            break
        reason = "row cannot be read" if row is None else f"no {' or '.join(lacking)}"
        tally.reject(reason, f"{name} line {line}")
    # The message does not name the columns found: without a header, they are the first row.
    accepted = "; ".join(f"{field}: {', '.join(getattr(columns, field)[:4])}" for field in lacking)
    advice = f"Name yours: --columns {','.join(f'{field}=NAME' for field in lacking)}"
    if columns.fixed:
        advice = "It is another kind of log, or not whole: leave --kind out, or export it again"
    msg = (
        f"{name}: found no column for {' and '.join(lacking)}. Known names are {accepted}. {advice}"
    )
    raise TrafficError(msg)


def _getters(row: Row, columns: Columns, needed: list[Found]) -> Getters:
    timestamp, read, written = needed
    return Getters(
        timestamp=timestamp.get,
        input=read.get,
        output=written.get,
        cached=optional_getter(row, columns.cached),
        cache_read=sibling_getter(row, read.name, CACHE_READ),
        cache_written=sibling_getter(row, read.name, CACHE_WRITTEN),
        total=sibling_getter(row, read.name, TOTAL),
        model=optional_getter(row, columns.model),
        call=optional_getter(row, columns.call),
        spend=optional_getter(row, columns.spend),
        column=timestamp.name,
    )


def with_getter(rows: Rows, names: tuple[str, ...]) -> tuple[Rows, Getter]:
    """Finds another column in a CSV header; in JSON it is a key of that name."""
    first = next(rows, None)
    if first is None:
        return rows, lambda _row: None
    return chain([first], rows), optional_getter(first[1], names)


def _clock(clock: Clock, start: datetime | None) -> Clock:
    return clock if start is None else Clock.KNOWN


def _epoch(start: datetime, times: TimeReader) -> float:
    return (start if start.tzinfo else start.replace(tzinfo=times.zone)).timestamp()


def _count(rows: Rows, name: str, shared: Import) -> None:
    RequestLog(columns=USUAL.stated(shared.columns), utc=False).count(rows, name, shared)


def _is_csv(head: Head) -> bool:
    return not head.is_json


def _is_json(head: Head) -> bool:
    return head.is_json


REQUESTS_CSV = Kind(
    "requests-csv", _is_csv, lambda shared: RowReader(shared, _count), takes_columns=True
)
REQUESTS_JSONL = Kind(
    "requests-jsonl", _is_json, lambda shared: RowReader(shared, _count), takes_columns=True
)
