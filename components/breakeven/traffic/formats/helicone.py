"""Helicone: the answer of its request query, and the export of its table of requests.

Its prompt tokens exclude cached ones, unless the total shows otherwise.
"""

from __future__ import annotations

from breakeven.traffic.columns import Columns
from breakeven.traffic.files import Row, Rows
from breakeven.traffic.kind import Head, Import, Kind, RowReader
from breakeven.traffic.requests import Getters, RequestLog, with_getter
from breakeven.traffic.values import missing

_COLUMNS = Columns(
    timestamp=("request_created_at", "createdAt", "heliconeMetadata.createdAt"),
    input=("prompt_tokens", "promptTokens", "heliconeMetadata.promptTokens"),
    output=("completion_tokens", "completionTokens", "heliconeMetadata.completionTokens"),
    model=("response_model", "request_model", "model", "model_override"),
    call=("request_path", "path", "target_url", "heliconeMetadata.path"),
    spend=("costUSD", "cost_usd", "cost", "heliconeMetadata.cost"),
    fixed=True,
)

_NO_REFERENCE = "00000000-0000-0000-0000-000000000000"
"""Values of `cache_reference_id` if Helicone did not answer a request from its own cache."""


def _count(rows: Rows, name: str, shared: Import) -> None:
    rows, reference = with_getter(rows, ("cache_reference_id",))

    def left_out(row: Row, _getters: Getters) -> str | None:
        answered = not missing(found := reference(row)) and found != _NO_REFERENCE
        return "answered from Helicone's own cache" if answered else None

    RequestLog(columns=_COLUMNS, left_out=left_out).count(rows, name, shared)


def _recognizes(head: Head) -> bool:
    names = head.row_names
    tokens = {"prompttokens", "completiontokens"}
    return (
        "heliconemetadata" in names
        or names >= {*tokens, "requestcreatedat"}
        or (names >= {*tokens, "createdat"} and bool(names & {"requestpath", "heliconeid"}))
    )


HELICONE = Kind("helicone", _recognizes, lambda shared: RowReader(shared, _count))
