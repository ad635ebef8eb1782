"""Request logs: one row a request, under the names that gateways and servers give the columns."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.traffic.columns import FIELDS, USUAL, Columns, Getter, find_getter
from breakeven.traffic.errors import BadRowError, TrafficError
from breakeven.traffic.files import Row, Rows
from breakeven.traffic.kind import Head, Import, Kind, RowReader
from breakeven.traffic.tally import Tally
from breakeven.traffic.values import LARGEST_REQUEST, TimeReader, read_tokens

NOT_FOUND_ROWS = 1_000
"""JSON rows among which the columns have to be found; the first may be of failed requests."""


@dataclass(frozen=True, slots=True)
class Getters:
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
    getters, rows = located(rows, name, columns, tally)
    for line, row in rows:
        try:
            count_request(row, getters, times, tally)
        except BadRowError as error:
            tally.reject(str(error), f"{name} line {line}")


def count_request(row: Row, getters: Getters, times: TimeReader, tally: Tally) -> None:
    """Counts one request.

    Raises:
        BadRowError: Its time or a count can't be read.
    """
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


def located(rows: Rows, name: str, columns: Columns, tally: Tally) -> tuple[Getters, Rows]:
    """Finds the columns in the header, or in the first JSON object that has them.

    Returns:
        How to read each field, and the rows that remain.

    Raises:
        TrafficError: The columns are not there.
    """
    lacking: list[str] = list(FIELDS[:3])
    for tried, (line, row) in enumerate(rows):
        found = {field: find_getter(row, getattr(columns, field)) for field in FIELDS}
        lacking = [field for field in FIELDS[:3] if found[field] is None]
        if not lacking:
            getters = Getters(**{field: getter or _nothing for field, getter in found.items()})
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


def with_getter(rows: Rows, names: tuple[str, ...]) -> tuple[Rows, Getter]:
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


def _count(rows: Rows, name: str, shared: Import) -> None:
    read_requests(rows, name, USUAL.stated(shared.columns), shared.local, shared.tally)


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
