"""The Azure LLM inference traces of 2023 and 2024 (Azure/AzurePublicDataset, CC-BY)."""

from __future__ import annotations

from breakeven.traffic.columns import Columns, plain
from breakeven.traffic.files import Rows
from breakeven.traffic.kind import Head, Import, Kind, RowReader
from breakeven.traffic.requests import read_requests

COLUMNS = Columns(
    timestamp=("TIMESTAMP",), input=("ContextTokens",), output=("GeneratedTokens",), fixed=True
)

_NAMES = {plain(name) for name in ("TIMESTAMP", "ContextTokens", "GeneratedTokens")}


def _recognizes(head: Head) -> bool:
    return not head.is_json and head.names >= _NAMES


def _count(rows: Rows, name: str, shared: Import) -> None:
    read_requests(rows, name, COLUMNS, shared.utc, shared.tally)


AZURE_TRACE = Kind("azure-trace", _recognizes, lambda shared: RowReader(shared, _count))
