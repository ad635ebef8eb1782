"""Langfuse: observations from its API, a table export, or an export to blob storage.

Usage types are arbitrary and add up: each with "input" in its name is input, as Langfuse
itself counts them (langfuse.com, Token & Cost Tracking).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from breakeven.traffic.columns import Columns, Getter, plain
from breakeven.traffic.files import Row, Rows
from breakeven.traffic.kind import Head, Import, Kind, RowReader
from breakeven.traffic.requests import Getters, RequestLog, with_getter
from breakeven.traffic.values import read_whole

_COLUMNS = Columns(
    timestamp=("startTime", "start_time"),
    input=("usageDetails", "usage_details", "usage", "inputUsage", "promptTokens"),
    output=("usageDetails", "usage_details", "usage", "outputUsage", "completionTokens"),
    model=("model", "providedModelName", "provided_model_name"),
    call=("type",),
    spend=("totalCost", "total_cost", "calculatedTotalCost", "costDetails.total"),
    fixed=True,
)

_GENERATION = ("generation", "")
_EMBEDDING = "embedding"


def _count(rows: Rows, name: str, shared: Import) -> None:
    rows, kind = with_getter(rows, ("type",))

    def left_out(row: Row, _getters: Getters) -> str | None:
        found = str(kind(row) or "").lower()
        if found in _GENERATION or found == _EMBEDDING:  # the call's type tells the latter
            return None
        return "observation that is not a generation"

    log = RequestLog(columns=_COLUMNS, adapted=_summed, left_out=left_out)
    log.count(rows, name, shared)


def _summed(getters: Getters) -> Getters:
    return replace(
        getters,
        input=lambda row: _part(getters.input, row, "input"),
        output=lambda row: _part(getters.output, row, "output"),
        cached=lambda row: _part(getters.input, row, "input", "cache"),
        # Usage types are summed here; the other fields repeat them.
        cache_read=lambda _row: None,
        cache_written=lambda _row: None,
    )


def _part(getter: Getter, row: Row, part: str, within: str = "") -> object:
    """Returns the sum of the usage types whose name has a word, or the plain number."""
    usage = getter(row)
    if isinstance(usage, str) and usage.lstrip().startswith("{"):
        try:
            usage = json.loads(usage)
        except (ValueError, RecursionError):
            return None
    if not isinstance(usage, Mapping):
        return None if within else usage
    named = {
        plain(str(name)): count
        for name, value in usage.items()
        if (count := read_whole(value)) is not None
    }
    found = [
        count
        for name, count in named.items()
        if part in name and within in name and not (within and _is_written(name))
    ]
    return sum(found) if found else None


def _is_written(name: str) -> bool:
    return "creation" in name or "write" in name


def _recognizes(head: Head) -> bool:
    names = head.row_names
    usage = {"usagedetails", "inputusage", "usage", "prompttokens"}
    return "starttime" in names and "traceid" in names and bool(names & usage)


LANGFUSE = Kind("langfuse", _recognizes, lambda shared: RowReader(shared, _count))
