"""OpenAI's usage: the pages of its organization usage API, and the CSV export of its usage page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from breakeven.traffic.columns import Columns
from breakeven.traffic.errors import BadRowError, TrafficError
from breakeven.traffic.files import Rows, json_entries
from breakeven.traffic.kind import Head, Import, Kind
from breakeven.traffic.requests import located, with_getter
from breakeven.traffic.tally import Tally
from breakeven.traffic.values import TimeReader, read_count, read_tokens

COLUMNS = Columns(
    timestamp=("start_time",),
    input=("input_tokens",),
    output=("output_tokens",),
    cached=("input_cached_tokens",),
    fixed=True,
)
"""CSV export `completions_usage_*.csv` of OpenAI's usage page: one row a bucket and group."""

_BEGINS_AS_PAGE = re.compile(r'[\s\[]*\{\s*"object"\s*:\s*"page"')
_HEADER = frozenset({"starttime", "endtime"})
_ONLY_HERE = frozenset({"nummodelrequests", "starttimeiso"})
_ENTERED = frozenset({(), ("data",), ("*",), ("*", "data")})


def _count_pages(text: TextIO, name: str, times: TimeReader, tally: Tally) -> bool:
    """Counts a page of `/v1/organization/usage/completions`, or an array of pages.

    Returns:
        Whether the last page says that more follow.

    Raises:
        TrafficError: There is no bucket in the file.
    """
    buckets = 0
    more = False
    for entry in json_entries(text, name, _ENTERED):
        if entry.path[-1:] == ("has_more",):
            more = entry.value is True
        elif entry.path[-2:] == ("data", "*"):
            buckets += 1
            _count_results(entry.value, times, tally, f"{name} line {entry.line}")
    if not buckets:
        msg = (
            f"{name}: no usage bucket in it. Save the answer of "
            "/v1/organization/usage/completions as it is, with bucket_width=1h or 1m"
        )
        raise TrafficError(msg)
    return more


def _count_results(bucket: object, times: TimeReader, tally: Tally, place: str) -> None:
    results = bucket.get("results", bucket.get("result")) if isinstance(bucket, dict) else None
    # A bucket without results is an hour without requests, and part of the span.
    for result in (results or [{}]) if isinstance(results, list) else [None]:
        if not isinstance(bucket, dict) or not isinstance(result, dict):
            tally.reject("row can't be read", place)
            continue
        try:
            _count_bucket({**result, **bucket}, times, tally)
        except BadRowError as error:
            tally.reject(str(error), place)


def _count_export(rows: Rows, name: str, times: TimeReader, tally: Tally) -> None:
    """Counts the CSV export: buckets of a minute, an hour or a day, several rows each."""
    rows, ends = with_getter(rows, ("end_time",))
    rows, requests = with_getter(rows, ("num_model_requests",))
    getters, rows = located(rows, name, COLUMNS, tally)
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
            _count_bucket(usage, times, tally)
        except BadRowError as error:
            tally.reject(str(error), f"{name} line {line}")


def _count_bucket(usage: Mapping[str, object], times: TimeReader, tally: Tally) -> None:
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


def _recognizes(head: Head) -> bool:
    if head.is_json:
        return bool(_BEGINS_AS_PAGE.match(head.text)) or head.names >= {"data", "hasmore"}
    return head.names >= _HEADER and bool(head.names & _ONLY_HERE)


@dataclass(frozen=True, slots=True)
class _Reader:
    shared: Import

    def read(self, text: TextIO, name: str, head: Head) -> None:
        if head.is_json:
            more = _count_pages(text, name, self.shared.utc, self.shared.tally)
            self.shared.incomplete = name if more else None
        else:
            _count_export(head.rows(text, name), name, self.shared.utc, self.shared.tally)

    def finish(self) -> None:
        """Pages that lack are told by `shared.incomplete`."""


OPENAI_USAGE = Kind("openai-usage", _recognizes, _Reader)
