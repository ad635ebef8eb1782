"""OpenRouter: the export of its activity page, one row per request, and days of `/activity`."""

from __future__ import annotations

from breakeven.traffic.buckets import Bucket, count_bucket
from breakeven.traffic.columns import Columns
from breakeven.traffic.errors import BadRowError
from breakeven.traffic.files import Rows
from breakeven.traffic.kind import Head, Import, Kind, RowReader
from breakeven.traffic.requests import RequestLog
from breakeven.traffic.tally import DAY
from breakeven.traffic.values import read_count, read_tokens, read_usd

_ACTIVITY = RequestLog(
    columns=Columns(
        timestamp=("created_at",),
        input=("native_tokens_prompt", "tokens_prompt"),
        output=("native_tokens_completion", "tokens_completion"),
        cached=("native_tokens_cached", "tokens_cached"),
        model=("model_permaslug", "model"),
        call=("api_type",),
        spend=("cost_total", "total_cost"),
        fixed=True,
    )
)
"""Output includes reasoning; native tokens, if stated, are those of the model itself."""


def _count_days(rows: Rows, name: str, shared: Import) -> None:
    """Counts the answer of `/api/v1/activity`: one row per day, model and endpoint."""
    for line, row in rows:
        usage = row if isinstance(row, dict) else {}
        try:
            start = shared.utc(usage.get("date"))
            read, written, _ = read_tokens(
                usage.get("prompt_tokens"), usage.get("completion_tokens"), None
            )
            bucket = Bucket(
                start=start,
                end=start + DAY,
                requests=read_count(usage.get("requests"), "number of requests") or 0,
                input_tokens=read,
                output_tokens=written,
                model=usage.get("model"),
                spend=read_usd(usage.get("usage")),
            )
            count_bucket(bucket, shared)
        except BadRowError as error:
            shared.tally.reject(str(error), f"{name} line {line}")


def _is_days(head: Head) -> bool:
    return head.row_names >= {"date", "requests", "prompttokens", "completiontokens", "usage"}


def _is_activity(head: Head) -> bool:
    tokens = {"tokensprompt", "tokenscompletion"}
    return head.row_names >= {*tokens, "createdat"} and bool(
        head.row_names & {"generationid", "modelpermaslug", "providername"}
    )


OPENROUTER = Kind("openrouter", _is_activity, lambda shared: RowReader(shared, _ACTIVITY.count))
OPENROUTER_DAYS = Kind("openrouter-days", _is_days, lambda shared: RowReader(shared, _count_days))
