"""Reads logs with one row a request, and OpenAI's CSV export with one row a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from breakeven.traffic.columns import (
    FIELDS,
    Columns,
    Getter,
    find_getter,
    litellm_cached,
)
from breakeven.traffic.errors import BadRowError, TrafficError
from breakeven.traffic.files import Row
from breakeven.traffic.tally import Tally
from breakeven.traffic.values import LARGEST_REQUEST, TimeReader, read_count, read_tokens

Rows = Iterator[tuple[int, Row]]

NOT_FOUND_ROWS = 1_000
"""JSON rows among which the columns have to be found; the first may be of failed requests."""


@dataclass(frozen=True, slots=True)
class _Getters:
    """How each field is read from a row."""

    timestamp: Getter
    input: Getter
    output: Getter
    cached: Getter


def read_requests(rows: Rows, name: str, columns: Columns, times: TimeReader, tally: Tally) -> None:
    """Counts a log with one row a request.

    Raises:
        TrafficError: The columns are not there.
    """
    getters, rows = _located(rows, name, columns, tally)
    for line, row in rows:
        try:
            _count_request(row, getters, times, tally)
        except BadRowError as error:
            tally.reject(str(error), f"{name} line {line}")


def read_litellm(rows: Rows, name: str, columns: Columns, times: TimeReader, tally: Tally) -> None:
    """Counts LiteLLM's spend logs; answers from its own cache reach no model and are left out.

    Raises:
        TrafficError: The columns are not there.
    """
    rows, answered = _with_getter(rows, ("cache_hit",))
    getters, rows = _located(rows, name, columns, tally)
    with_cached = _Getters(
        getters.timestamp,
        getters.input,
        getters.output,
        lambda row: litellm_cached(getters.cached(row)),
    )
    for line, row in rows:
        try:
            if str(answered(row)).strip().lower() in ("true", "t"):
                tally.leave_out("answered from LiteLLM's own cache")
            else:
                _count_request(row, with_cached, times, tally)
        except BadRowError as error:
            tally.reject(str(error), f"{name} line {line}")


def read_openai_export(
    rows: Rows, name: str, columns: Columns, times: TimeReader, tally: Tally
) -> None:
    """Counts OpenAI's CSV export: buckets of a minute, an hour or a day, several rows each.

    Raises:
        TrafficError: The columns are not there.
    """
    rows, ends = _with_getter(rows, ("end_time",))
    rows, requests = _with_getter(rows, ("num_model_requests",))
    getters, rows = _located(rows, name, columns, tally)
    for line, row in rows:
        usage = {
            "start_time": getters.timestamp(row),
            "end_time": ends(row),
            "input_tokens": getters.input(row),
            "output_tokens": getters.output(row),
            "input_cached_tokens": getters.cached(row),
            "num_model_requests": requests(row),
        }
        try:
            count_bucket(usage, times, tally)
        except BadRowError as error:
            tally.reject(str(error), f"{name} line {line}")


def count_bucket(usage: Mapping[str, object], times: TimeReader, tally: Tally) -> None:
    """Counts one result of OpenAI's usage buckets; an empty one covers its time all the same.

    Raises:
        BadRowError: A time or a count can't be read, or they contradict each other.
    """
    start, end = times(usage.get("start_time")), times(usage.get("end_time"))
    read, written, cached = read_tokens(
        usage.get("input_tokens"), usage.get("output_tokens"), usage.get("input_cached_tokens")
    )
    requests = read_count(usage.get("num_model_requests"), "number of requests") or 0
    if not requests and read + written:
        msg = "tokens without requests"
        raise BadRowError(msg)
    try:
        tally.interval(
            start,
            end - start,
            requests=requests,
            input_tokens=read,
            output_tokens=written,
            cached=cached,
        )
    except ValueError as error:
        raise BadRowError(str(error)) from error
    tally.rows += 1


def _count_request(row: Row, getters: _Getters, times: TimeReader, tally: Tally) -> None:
    if row is None:
        msg = "row can't be read"
        raise BadRowError(msg)
    moment = times(getters.timestamp(row))
    read, written, cached = read_tokens(
        getters.input(row), getters.output(row), getters.cached(row)
    )
    if read + written > LARGEST_REQUEST:
        msg = f"more than {LARGEST_REQUEST:,} tokens in a request"
        raise BadRowError(msg)
    if not read + written:
        tally.leave_out("no tokens, such as a request that failed")
        return
    tally.request(moment, read, written, cached)
    tally.rows += 1


def _located(rows: Rows, name: str, columns: Columns, tally: Tally) -> tuple[_Getters, Rows]:
    """Finds the columns in the header, or in the first JSON object that has them."""
    lacking: list[str] = list(FIELDS[:3])
    for tried, (line, row) in enumerate(rows):
        found = {field: find_getter(row, getattr(columns, field)) for field in FIELDS}
        lacking = [field for field in FIELDS[:3] if found[field] is None]
        if not lacking:
            getters = _Getters(**{field: getter or _nothing for field, getter in found.items()})
            # A header is no request; a JSON object is.
            return getters, rows if isinstance(row, list) else _and_then((line, row), rows)
        if isinstance(row, list) or tried == NOT_FOUND_ROWS:
            break
        reason = "row can't be read" if row is None else f"no {' or '.join(lacking)}"
        tally.reject(reason, f"{name} line {line}")
    # Names that were found are not told: without a header they would be the first row's content.
    accepted = "; ".join(f"{field}: {', '.join(getattr(columns, field)[:4])}" for field in lacking)
    advice = f"Name yours: --columns {','.join(f'{field}=NAME' for field in lacking)}"
    if columns.fixed:
        advice = "It is another kind of log, or not whole: leave --kind out, or export it again"
    msg = (
        f"{name}: found no column for {' and '.join(lacking)}. Known names are {accepted}. {advice}"
    )
    raise TrafficError(msg)


def _with_getter(rows: Rows, names: tuple[str, ...]) -> tuple[Rows, Getter]:
    """Finds a column beside the usual ones in a CSV header; in JSON it is a key of that name."""
    first = next(rows, None)
    if first is None:
        return rows, _nothing
    getter = find_getter(first[1], names) if isinstance(first[1], list) else None

    def by_key(row: Row) -> object:
        return row.get(names[0]) if isinstance(row, dict) else None

    is_object = not isinstance(first[1], list)
    return _and_then(first, rows), by_key if is_object else getter or _nothing


def _and_then(first: tuple[int, Row], rows: Rows) -> Rows:
    yield first
    yield from rows


def _nothing(_row: Row) -> None:
    return None
