"""LiteLLM's spend logs: the table LiteLLM_SpendLogs, one row a request."""

from __future__ import annotations

import json
from dataclasses import replace

from breakeven.traffic.columns import Columns, follow
from breakeven.traffic.errors import BadRowError
from breakeven.traffic.files import Rows
from breakeven.traffic.kind import Head, Import, Kind, RowReader
from breakeven.traffic.requests import count_request, located, with_getter

COLUMNS = Columns(
    timestamp=("startTime", "start_time"),
    input=("prompt_tokens",),
    output=("completion_tokens",),
    cached=("metadata",),
    fixed=True,
)
"""The provider's cache figures stand in the column `metadata`."""

_NAMES = frozenset({"starttime", "prompttokens", "completiontokens"})
_ONLY_HERE = frozenset({"spend", "calltype", "apikey"})


def _recognizes(head: Head) -> bool:
    return head.names >= _NAMES and bool(head.names & _ONLY_HERE)


def _count(rows: Rows, name: str, shared: Import) -> None:
    """Counts a log; answers from LiteLLM's own cache reach no model and are left out."""
    rows, answered = with_getter(rows, ("cache_hit",))
    getters, rows = located(rows, name, COLUMNS, shared.tally)
    metadata = getters.cached
    with_cached = replace(getters, cached=lambda row: litellm_cached(metadata(row)))
    for line, row in rows:
        try:
            if str(answered(row)).strip().lower() in ("true", "t"):
                shared.tally.leave_out("answered from LiteLLM's own cache")
            else:
                count_request(row, with_cached, shared.utc, shared.tally)
        except BadRowError as error:
            shared.tally.reject(str(error), f"{name} line {line}")


def litellm_cached(metadata: object) -> object:
    """Returns the cached input tokens that LiteLLM keeps in `metadata`, object or JSON text.

    The places are those that its versions use: `additional_usage_values` and `usage_object`.
    """
    if isinstance(metadata, str):
        if "cache" not in metadata:
            return None
        try:
            metadata = json.loads(metadata)
        except (ValueError, RecursionError):
            return None
    for usage in ("additional_usage_values", "usage_object"):
        for path in (("prompt_tokens_details", "cached_tokens"), ("cache_read_input_tokens",)):
            found = follow(metadata, (usage, *path))
            if found is not None:
                return found
    return None


LITELLM = Kind("litellm", _recognizes, lambda shared: RowReader(shared, _count))
