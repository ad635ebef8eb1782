"""OpenAI's usage: the pages of its organization usage API, and the CSV export of its usage page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from breakeven.traffic.buckets import Bucket, count_bucket, members
from breakeven.traffic.columns import Columns
from breakeven.traffic.errors import BadRowError, TrafficError
from breakeven.traffic.files import Rows, page_rows
from breakeven.traffic.kind import Head, Import, Kind
from breakeven.traffic.requests import located, with_getter
from breakeven.traffic.values import read_count, read_tokens

COLUMNS = Columns(
    timestamp=("start_time",),
    input=("input_tokens",),
    output=("output_tokens",),
    cached=("input_cached_tokens",),
    fixed=True,
)
"""CSV export `completions_usage_*.csv` of OpenAI's usage page: one row per bucket and group."""

_BEGINS_AS_PAGE = re.compile(r'[\s\[]*\{\s*"object"\s*:\s*"page"')
_HEADER = frozenset({"starttime", "endtime"})
_ONLY_HERE = frozenset({"nummodelrequests", "starttimeiso"})


def _count_pages(text: TextIO, name: str, shared: Import) -> None:
    """Counts a page of `/v1/organization/usage/completions`, or an array of pages.

    Raises:
        TrafficError: There is no bucket in the file.
    """
    buckets = 0
    told: dict[str, object] = {}
    for line, bucket in page_rows(text, name, "data", told):
        buckets += 1
        _count_results(bucket, shared, f"{name} line {line}")
    if not buckets:
        msg = (
            f"{name}: contains no usage bucket. Save the unchanged response of "
            "/v1/organization/usage/completions, with bucket_width=1h or 1m"
        )
        raise TrafficError(msg)
    shared.pages.add(name, told)


def _count_results(bucket: object, shared: Import, place: str) -> None:
    if isinstance(bucket, dict) and "result" in bucket:
        bucket = {"results": bucket["result"], **bucket}
    results = members(bucket, "results") if isinstance(bucket, dict) else None
    # A bucket without results is an hour without requests, and counts toward the span.
    for result in results if results is not None else [None]:
        if not isinstance(bucket, dict) or result is None:
            shared.tally.reject("row cannot be read", place)
            continue
        try:
            _count({**bucket, **result, "start_time": bucket.get("start_time")}, shared)
        except BadRowError as error:
            shared.tally.reject(str(error), place)


def _count_export(rows: Rows, name: str, shared: Import) -> None:
    """Counts the CSV export: buckets of a minute, an hour or a day, several rows each."""
    rows, ends = with_getter(rows, ("end_time",))
    rows, requests = with_getter(rows, ("num_model_requests",))
    getters, rows = located(rows, name, COLUMNS, shared.tally)
    for line, row in rows:
        usage = {
            "start_time": getters.timestamp(row),
            "end_time": ends(row),
            "input_tokens": getters.input(row),
            "output_tokens": getters.output(row),
            "input_cached_tokens": getters.cached(row),
            "num_model_requests": requests(row),
            "model": getters.model(row),
        }
        try:
            _count(usage, shared)
        except BadRowError as error:
            shared.tally.reject(str(error), f"{name} line {line}")


def _count(usage: Mapping[str, object], shared: Import) -> None:
    """Counts one result of OpenAI's usage buckets.

    Raises:
        BadRowError: A time or a count cannot be read, or they contradict each other.
    """
    read, written, cached = read_tokens(
        usage.get("input_tokens"), usage.get("output_tokens"), usage.get("input_cached_tokens")
    )
    bucket = Bucket(
        start=shared.utc(usage.get("start_time")),
        end=shared.utc.end(usage.get("end_time")),
        requests=read_count(usage.get("num_model_requests"), "number of requests") or 0,
        input_tokens=read,
        output_tokens=written,
        cached=cached,
        model=usage.get("model"),
        call=usage.get("object"),
    )
    count_bucket(bucket, shared)


def _recognizes(head: Head) -> bool:
    if head.is_json:
        return bool(_BEGINS_AS_PAGE.match(head.text)) or head.names >= {"data", "hasmore"}
    return head.names >= _HEADER and bool(head.names & _ONLY_HERE)


@dataclass(frozen=True, slots=True)
class _Reader:
    shared: Import

    def read(self, text: TextIO, name: str, head: Head) -> None:
        if head.is_json:
            _count_pages(text, name, self.shared)
        else:
            _count_export(head.rows(text, name), name, self.shared)

    def finish(self) -> None:
        """`shared.pages` reports missing pages."""


OPENAI_USAGE = Kind("openai-usage", _recognizes, _Reader)
