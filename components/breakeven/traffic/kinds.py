"""The kinds of logs that can be read. A new one needs a module with its Kind, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from breakeven.traffic.formats.anthropic_usage import ANTHROPIC_USAGE
from breakeven.traffic.formats.azure_monitor import AZURE_MONITOR
from breakeven.traffic.formats.helicone import HELICONE
from breakeven.traffic.formats.langfuse import LANGFUSE
from breakeven.traffic.formats.litellm import LITELLM
from breakeven.traffic.formats.openai_usage import OPENAI_USAGE
from breakeven.traffic.formats.openrouter import OPENROUTER, OPENROUTER_DAYS
from breakeven.traffic.formats.prometheus import PROMETHEUS
from breakeven.traffic.formats.published_traces import AZURE_TRACE, BAILIAN, BURSTGPT, MOONCAKE
from breakeven.traffic.kind import Head, Kind
from breakeven.traffic.requests import REQUESTS_CSV, REQUESTS_JSONL

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            PROMETHEUS,
            AZURE_MONITOR,
            # Before OpenAI's, whose pages have the same structure.
            ANTHROPIC_USAGE,
            OPENAI_USAGE,
            LITELLM,
            LANGFUSE,
            HELICONE,
            OPENROUTER,
            OPENROUTER_DAYS,
            AZURE_TRACE,
            BURSTGPT,
            BAILIAN,
            MOONCAKE,
            # Last: a log that is not an export is a request log.
            REQUESTS_CSV,
            REQUESTS_JSONL,
        )
    }
)
"""Kinds by name; the first that recognizes a log reads it."""


def detect(head: Head, *, own_columns: bool = False) -> Kind:
    """Returns the kind of a log, from its beginning.

    Args:
        head: Its beginning.
        own_columns: Whether the user named columns, which only request logs have.
    """
    return next(
        kind
        for kind in KINDS.values()
        if kind.recognizes(head) and (kind.takes_columns or not own_columns)
    )
