"""Anthropic's usage: pages of its usage report for messages, and the CSV export of its console.

Both are sums without the number of requests, and both report the input in three parts: uncached,
written to the cache, read from the cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from breakeven.traffic.buckets import Bucket, count_bucket, members
from breakeven.traffic.columns import follow
from breakeven.traffic.errors import BadRowError
from breakeven.traffic.files import Rows
from breakeven.traffic.kind import Head, Import, Kind
from breakeven.traffic.requests import with_getter
from breakeven.traffic.tally import DAY
from breakeven.traffic.values import read_count

_UNCACHED = ("uncached_input_tokens", "usage_input_tokens_no_cache")
_WRITTEN = (
    *("cache_creation_5m_input_tokens", "cache_creation_1h_input_tokens"),
    *("cache_creation_input_tokens", "usage_input_tokens_cache_write"),
    *("usage_input_tokens_cache_write_5m", "usage_input_tokens_cache_write_1h"),
)
_READ = ("cache_read_input_tokens", "usage_input_tokens_cache_read")
_OUTPUT = ("output_tokens", "usage_output_tokens")
_DATE, _MODEL = "usage_date_utc", "model_version"
_COLUMNS = (_DATE, _MODEL, *_UNCACHED, *_WRITTEN, *_READ, *_OUTPUT)


def _count_report(rows: Rows, name: str, shared: Import) -> None:
    for line, bucket in rows:
        place = f"{name} line {line}"
        results = members(bucket, "results") if isinstance(bucket, dict) else None
        for result in results if results is not None else [None]:
            if not isinstance(bucket, dict) or result is None:
                shared.tally.reject("row cannot be read", place)
                continue
            try:
                start = shared.utc(bucket.get("starting_at"))
                end = shared.utc.end(bucket.get("ending_at"))
                _count(result, start, end, shared)
            except BadRowError as error:
                shared.tally.reject(str(error), place)


def _count_export(rows: Rows, name: str, shared: Import) -> None:
    getters = {}
    for column in _COLUMNS:
        rows, getters[column] = with_getter(rows, (column,))
    next(rows, None)  # the header
    for line, row in rows:
        usage = {column: get(row) for column, get in getters.items()}
        try:
            start = shared.utc(usage[_DATE])
            _count({**usage, "model": usage[_MODEL]}, start, start + DAY, shared)
        except BadRowError as error:
            shared.tally.reject(str(error), f"{name} line {line}")


def _count(usage: Mapping[str, object], start: float, end: float, shared: Import) -> None:
    """Counts one result of a bucket.

    Raises:
        BadRowError: A count cannot be read, or the bucket has no length.
    """
    creation = usage.get("cache_creation")
    written = sum(_sum(usage, (column,)) for column in _WRITTEN)
    if isinstance(creation, Mapping):
        written += sum(_sum(creation, (key,)) for key in creation)
    read = _sum(usage, _READ)
    bucket = Bucket(
        start=start,
        end=end,
        requests=None,
        input_tokens=_sum(usage, _UNCACHED) + written + read,
        output_tokens=_sum(usage, _OUTPUT),
        cached=read,
        model=usage.get("model"),
    )
    count_bucket(bucket, shared)


def _sum(usage: Mapping[str, object], columns: tuple[str, ...]) -> int:
    return sum(read_count(follow(usage, (key,)), key.replace("_", " ")) or 0 for key in columns)


def _recognizes(head: Head) -> bool:
    if head.is_json:
        return head.row_names >= {"startingat", "endingat", "results"}
    return head.names >= {"usagedateutc", "usageinputtokensnocache"}


@dataclass(frozen=True, slots=True)
class _Reader:
    shared: Import

    def read(self, text: TextIO, name: str, head: Head) -> None:
        told: dict[str, object] = {}
        rows = head.rows(text, name, told)
        if head.is_json:
            _count_report(rows, name, self.shared)
        else:
            _count_export(rows, name, self.shared)
        self.shared.pages.add(name, told)

    def finish(self) -> None:
        """`shared.pages` reports missing pages."""


ANTHROPIC_USAGE = Kind("anthropic-usage", _recognizes, _Reader)
