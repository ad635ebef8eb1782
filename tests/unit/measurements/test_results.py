"""Results of load generators are read alike, and refused where it was not full."""

from __future__ import annotations

import copy
import json
from datetime import date
from typing import Any

import pytest

from breakeven.measurements.results import ResultError, read_results

VLLM: dict[str, Any] = {
    "date": "20261120-101500",
    "model_id": "acme/model-8b",
    "request_rate": "inf",
    "max_concurrency": 48,
    "completed": 2000,
    "failed": 0,
    "total_input_tokens": 2_048_000,
    "total_output_tokens": 512_000,
    "request_throughput": 5.0,
    "output_throughput": 1280.0,
    "p95_ttft_ms": 310.0,
    "p95_tpot_ms": 36.0,
}


def statistic(mean: float) -> dict[str, Any]:
    return {"successful": {"mean": mean, "percentiles": {"p95": mean}}}


GUIDELLM: dict[str, Any] = {
    "metadata": {"guidellm_version": "0.8.1"},
    "benchmarks": [
        {
            "start_time": 1_795_170_000.0,
            "config": {
                "strategy": {"type_": "concurrent", "streams": 48},
                "backend": {"model": "acme/model-8b"},
            },
            "metrics": {
                "request_totals": {"successful": 2000, "errored": 0},
                "prompt_token_count": statistic(1024),
                "output_token_count": statistic(256),
                "output_tokens_per_second": statistic(1280),
                "request_concurrency": statistic(47.6),
                "time_to_first_token_ms": statistic(310),
                "inter_token_latency_ms": statistic(36),
            },
        }
    ],
}
GENAI_PERF: dict[str, Any] = {
    "request_count": {"avg": 2000},
    "input_sequence_length": {"avg": 1024},
    "output_sequence_length": {"avg": 256},
    "output_token_throughput": {"avg": 1280, "unit": "tokens/sec"},
    "time_to_first_token": {"avg": 200, "p95": 310, "unit": "ms"},
    "inter_token_latency": {"avg": 30, "p95": 36, "unit": "ms"},
    "input_config": {
        "model_names": ["acme/model-8b"],
        "perf_analyzer": {"stimulus": {"concurrency": 48}},
    },
}
AIPERF: dict[str, Any] = {
    **GENAI_PERF,
    "start_time": "2026-11-20T10:15:00",
    "input_config": {
        "loadgen": {"concurrency": 48},
        "endpoint": {"model_names": ["acme/model-8b"]},
    },
}


@pytest.mark.parametrize(
    ("document", "tool"),
    [
        (VLLM, "vllm bench serve"),
        (GUIDELLM, "guidellm 0.8.1"),
        (GENAI_PERF, "genai-perf"),
        (AIPERF, "aiperf"),
    ],
)
def test_every_tool_gives_the_same_figures(document: dict[str, Any], tool: str) -> None:
    [result] = read_results(json.dumps(document), "r.json")
    assert (result.model, result.tool) == ("acme/model-8b", tool)
    assert (result.input_tokens, result.output_tokens) == (1024, 256)
    point = result.point
    assert (point.concurrency, point.output_tokens_per_second) == (48, 1280)
    assert (point.first_token_seconds, point.inter_token_seconds) == (0.31, 0.036)
    assert result.day in (date(2026, 11, 20), None)


def changed(document: dict[str, Any], **fields: Any) -> str:
    return json.dumps({**copy.deepcopy(document), **fields})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (changed(VLLM, request_rate=5.0), "it was not full"),
        (changed(VLLM, max_concurrency=None), "all requests were sent at once"),
        (changed(VLLM, failed=500), "500 of 2,500 requests failed"),
        (changed(VLLM, completed=0), "not a number"),
        (changed(VLLM, output_throughput=0), "implausible result"),
        (changed(VLLM, output_throughput="fast"), "not a number"),
        (changed(GENAI_PERF, input_config={}), "had no fixed concurrency"),
        ('{"tokens": 3}', "unknown fields tokens"),
        ("no json", "not JSON"),
        ("[]", "contains no result"),
    ],
)
def test_a_result_that_says_nothing_about_a_full_replica_is_refused(text: str, said: str) -> None:
    with pytest.raises(ResultError, match=said):
        read_results(text, "r.json")


def test_a_rate_that_was_not_kept_shows_a_full_replica() -> None:
    [result] = read_results(changed(VLLM, request_rate=50.0), "r.json")
    assert result.point.output_tokens_per_second == 1280


def test_runs_of_several_concurrencies_are_read_together() -> None:
    lines = "\n".join(changed(VLLM, max_concurrency=each) for each in (1, 8, 48))
    assert [each.point.concurrency for each in read_results(lines, "r.jsonl")] == [1, 8, 48]
