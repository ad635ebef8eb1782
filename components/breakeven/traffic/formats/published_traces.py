"""Published traces: Azure's, BurstGPT's, and those of Mooncake and Qwen-Bailian."""

from __future__ import annotations

from collections.abc import Callable

from breakeven.traffic.columns import Columns, plain
from breakeven.traffic.kind import Head, Kind, RowReader
from breakeven.traffic.relative_time import Clock, TimeUnit
from breakeven.traffic.requests import RequestLog

_AZURE = RequestLog(
    columns=Columns(
        timestamp=("TIMESTAMP",), input=("ContextTokens",), output=("GeneratedTokens",), fixed=True
    )
)
_BURSTGPT = RequestLog(
    columns=Columns(
        timestamp=("Timestamp",),
        input=("Request tokens",),
        output=("Response tokens",),
        fixed=True,
    ),
    unit=TimeUnit.SECONDS,
    clock=Clock.MIDNIGHT,
)
"""HPMLL/BurstGPT: seconds since midnight of the first day."""

_LENGTHS = Columns(
    timestamp=("timestamp",), input=("input_length",), output=("output_length",), fixed=True
)
_MOONCAKE = RequestLog(columns=_LENGTHS, unit=TimeUnit.MILLISECONDS)
"""kvcache-ai/Mooncake: milliseconds since the start of the trace."""

_BAILIAN = RequestLog(columns=_LENGTHS, unit=TimeUnit.SECONDS)
"""alibaba-edu/qwen-bailian-usagetraces-anon: seconds since the start of the trace."""


def _has(*names: str) -> Callable[[Head], bool]:
    wanted = {plain(name) for name in names}
    return lambda head: head.row_names >= wanted


def _kind(name: str, log: RequestLog, recognizes: Callable[[Head], bool]) -> Kind:
    return Kind(name, recognizes, lambda shared: RowReader(shared, log.count))


_is_azure = _has("TIMESTAMP", "ContextTokens", "GeneratedTokens")

AZURE_TRACE = _kind("azure-trace", _AZURE, lambda head: not head.is_json and _is_azure(head))
BURSTGPT = _kind(
    "burstgpt", _BURSTGPT, _has("Timestamp", "Request tokens", "Response tokens", "Log Type")
)
BAILIAN = _kind("qwen-bailian", _BAILIAN, _has("chat_id", "timestamp", "input_length", "hash_ids"))
MOONCAKE = _kind("mooncake", _MOONCAKE, _has("timestamp", "input_length", "hash_ids"))
