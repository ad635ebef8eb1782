"""LiteLLM's spend logs: one row per request.

The table LiteLLM_SpendLogs, the answer of `/spend/logs`, and the pages of `/spend/logs/ui` and
`/spend/logs/v2`, which have the rows in `data`.
"""

from __future__ import annotations

import json
from dataclasses import replace

from breakeven.traffic.columns import Columns, follow
from breakeven.traffic.files import Row, Rows
from breakeven.traffic.kind import Head, Import, Kind, RowReader
from breakeven.traffic.requests import Getters, RequestLog, with_getter

COLUMNS = Columns(
    timestamp=("startTime", "start_time"),
    input=("prompt_tokens",),
    output=("completion_tokens",),
    cached=("metadata",),
    model=("model", "model_group"),
    call=("call_type",),
    spend=("spend",),
    fixed=True,
)
"""The provider's cache figures are in the column `metadata`."""

_NAMES = frozenset({"starttime", "prompttokens", "completiontokens"})
_ONLY_HERE = frozenset({"spend", "calltype", "apikey"})


def _recognizes(head: Head) -> bool:
    return head.row_names >= _NAMES and bool(head.row_names & _ONLY_HERE)


def _count(rows: Rows, name: str, shared: Import) -> None:
    """Counts a log; skips answers from LiteLLM's own cache, which do not reach a model."""
    rows, answered = with_getter(rows, ("cache_hit",))

    def left_out(row: Row, _getters: Getters) -> str | None:
        hit = str(answered(row)).strip().lower() in ("true", "t")
        return "answered from LiteLLM's own cache" if hit else None

    log = RequestLog(columns=COLUMNS, adapted=_with_cached, left_out=left_out)
    log.count(rows, name, shared)


def _with_cached(getters: Getters) -> Getters:
    metadata = getters.cached
    return replace(getters, cached=lambda row: litellm_cached(metadata(row)))


def litellm_cached(metadata: object) -> object:
    """Returns the cached input tokens that LiteLLM keeps in `metadata`, object or JSON text.

    Its versions use different places: `additional_usage_values` and `usage_object`.
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
