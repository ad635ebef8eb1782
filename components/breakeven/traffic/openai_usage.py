"""Reads the JSON pages of OpenAI's organization usage API: buckets with results."""

from __future__ import annotations

from typing import TextIO

from breakeven.traffic.errors import BadRowError, TrafficError
from breakeven.traffic.files import json_entries
from breakeven.traffic.requests import count_bucket
from breakeven.traffic.tally import Tally
from breakeven.traffic.values import TimeReader

_ENTERED = frozenset({(), ("data",), ("*",), ("*", "data")})


def read_openai_pages(text: TextIO, name: str, times: TimeReader, tally: Tally) -> bool:
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
            count_bucket({**result, **bucket}, times, tally)
        except BadRowError as error:
            tally.reject(str(error), place)
