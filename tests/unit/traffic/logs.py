"""Small logs of every kind, and how the tests read them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from breakeven.traffic.importer import Imported, ImportOptions, import_logs
from breakeven.traffic.kind import Kind
from breakeven.traffic.relative_time import TimeUnit

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
NOW = datetime(2026, 11, 25, tzinfo=UTC)
SECRET = "the launch code is 4711"

Request = tuple[float, int, int]
"""Seconds after Monday, input and output tokens."""


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def moment(seconds: float) -> str:
    return (MONDAY + timedelta(seconds=seconds)).isoformat()


def requests_csv(requests: Sequence[Request]) -> str:
    rows = [
        f'{moment(seconds)},"{SECRET}\nand ""more"", of it",{read},{wrote},{read // 4}'
        for seconds, read, wrote in requests
    ]
    return "\n".join(["created_at,prompt,prompt_tokens,completion_tokens,cached_tokens", *rows, ""])


def requests_jsonl(requests: Sequence[Request]) -> str:
    return "".join(
        json.dumps(
            {
                "created": int(MONDAY.timestamp() + seconds),
                "messages": [{"role": "user", "content": SECRET}],
                "usage": {
                    "prompt_tokens": read,
                    "completion_tokens": wrote,
                    "prompt_tokens_details": {"cached_tokens": read // 4},
                },
            }
        )
        + "\n"
        for seconds, read, wrote in requests
    )


def litellm_row(request: Request, **changed: object) -> dict[str, object]:
    seconds, read, wrote = request
    return {
        "request_id": f"chatcmpl-{seconds}",
        "call_type": "acompletion",
        "api_key": "88dc28d0",
        "spend": 0.002,
        "startTime": moment(seconds).replace("+00:00", "Z"),
        "endTime": moment(seconds + 2).replace("+00:00", "Z"),
        "prompt_tokens": read,
        "completion_tokens": wrote,
        "cache_hit": "False",
        "messages": SECRET,
        "metadata": {
            "status": "success",
            "additional_usage_values": {"prompt_tokens_details": {"cached_tokens": read // 4}},
        },
        **changed,
    }


def litellm_jsonl(requests: Sequence[Request]) -> str:
    return "".join(json.dumps(litellm_row(request)) + "\n" for request in requests)


def openai_page(buckets: Sequence[Mapping[str, object]], *, more: bool = False) -> str:
    return json.dumps({"object": "page", "data": list(buckets), "has_more": more}, indent=2)


def bucket(
    start: float, seconds: float, *results: tuple[int, int, int], cached: int = 0
) -> dict[str, object]:
    """Each result is number of requests, input and output tokens."""
    return {
        "object": "bucket",
        "start_time": int(MONDAY.timestamp() + start),
        "end_time": int(MONDAY.timestamp() + start + seconds),
        "results": [
            {
                "object": "organization.usage.completions.result",
                "num_model_requests": count,
                "input_tokens": read,
                "output_tokens": wrote,
                "input_cached_tokens": cached,
                "project_id": SECRET,
                "model": None,
            }
            for count, read, wrote in results
        ],
    }


def series(metric: str, values: Sequence[tuple[float, float]], **labels: str) -> dict[str, object]:
    return {
        "metric": {"__name__": metric, "prompt": SECRET, **labels},
        "values": [[MONDAY.timestamp() + seconds, str(value)] for seconds, value in values],
    }


def prometheus_answer(*result: Mapping[str, object]) -> str:
    return json.dumps(
        {"status": "success", "data": {"resultType": "matrix", "result": list(result)}}
    )


def counters(points: Sequence[tuple[float, float]], cached_share: float = 0.25) -> str:
    """Answers of all counters; each point is seconds and requests so far, of 1,000 and 200."""
    return prometheus_answer(
        series("vllm:prompt_tokens_total", [(at, 1000 * count) for at, count in points]),
        series(
            "vllm:prompt_tokens_cached_total",
            [(at, 1000 * cached_share * count) for at, count in points],
        ),
        series("vllm:generation_tokens_total", [(at, 200 * count) for at, count in points]),
        series("vllm:request_success_total", points, finished_reason="stop"),
        series("vllm:iteration_tokens_total_bucket", points),
    )


def azure_trace(requests: Sequence[Request]) -> str:
    rows = [
        f"{moment(seconds)[:19].replace('T', ' ')}.9799600,{read},{wrote}"
        for seconds, read, wrote in requests
    ]
    return "\r\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *rows])


def read(
    *paths: Path,
    kind: Kind | None = None,
    columns: Mapping[str, str] | None = None,
    zone: tzinfo = UTC,
    max_bad_percent: float = 1,
    models: Collection[str] = (),
    start: datetime | None = None,
    time_unit: TimeUnit | None = None,
    now: datetime = NOW,
) -> Imported:
    options = ImportOptions(
        kind=kind,
        columns=columns or {},
        zone=zone,
        latest=NOW.timestamp(),
        max_bad_percent=max_bad_percent,
        now=now.timestamp(),
        models=frozenset(models),
        start=start,
        time_unit=time_unit,
    )
    return import_logs(paths, options, lambda _count: None)


FEW: tuple[Request, ...] = ((0.0, 100, 20), (60.0, 200, 40), (60.0, 200, 40), (600.0, 300, 60))
"""Four requests within ten minutes, two of them at the same moment: 800 in, 160 out."""
