"""The kinds of logs that can be read. A new one is a module with its Kind, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from breakeven.traffic.azure_trace import AZURE_TRACE
from breakeven.traffic.kind import Head, Kind
from breakeven.traffic.litellm import LITELLM
from breakeven.traffic.openai_usage import OPENAI_USAGE
from breakeven.traffic.prometheus import PROMETHEUS
from breakeven.traffic.requests import REQUESTS_CSV, REQUESTS_JSONL

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            PROMETHEUS,
            OPENAI_USAGE,
            LITELLM,
            AZURE_TRACE,
            # Last: what is no export is a request log.
            REQUESTS_CSV,
            REQUESTS_JSONL,
        )
    }
)
"""By name; the first that recognizes a log reads it."""


def detect(head: Head, *, own_columns: bool = False) -> Kind:
    """Tells the kind of a log by its beginning.

    Args:
        head: Its beginning.
        own_columns: Whether the user named columns, which only request logs have.
    """
    return next(
        kind
        for kind in KINDS.values()
        if kind.recognizes(head) and (kind.takes_columns or not own_columns)
    )
