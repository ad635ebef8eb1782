"""A kind is told by the shape of a file, never by words in its prompts."""

from __future__ import annotations

import json

import pytest

from breakeven.traffic.kinds import Kind, detect
from tests.unit.traffic.logs import (
    FEW,
    azure_trace,
    bucket,
    counters,
    litellm_jsonl,
    litellm_row,
    openai_page,
    requests_csv,
    requests_jsonl,
)

OPENAI_HEADER = "start_time,end_time,start_time_iso,end_time_iso,num_model_requests,input_tokens\n"
LITELLM_HEADER = "request_id,call_type,startTime,prompt_tokens,completion_tokens,metadata\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (requests_csv(FEW), Kind.REQUESTS_CSV),
        ("when;read;written\n", Kind.REQUESTS_CSV),
        ("\n", Kind.REQUESTS_CSV),
        (requests_jsonl(FEW), Kind.REQUESTS_JSONL),
        ("[not json", Kind.REQUESTS_JSONL),
        ("[]", Kind.REQUESTS_JSONL),
        (openai_page([bucket(0, 60, (1, 2, 3))]), Kind.OPENAI_USAGE),
        (openai_page([bucket(0, 60, (1, 2, 3))])[:60], Kind.OPENAI_USAGE),
        (f"[{openai_page([bucket(0, 60, (1, 2, 3))])}]", Kind.OPENAI_USAGE),
        (OPENAI_HEADER, Kind.OPENAI_USAGE),
        (litellm_jsonl(FEW), Kind.LITELLM),
        (json.dumps([litellm_row(FEW[0])]), Kind.LITELLM),
        (LITELLM_HEADER, Kind.LITELLM),
        (counters([(0, 1), (60, 2)]), Kind.PROMETHEUS),
        (counters([(0, 1), (60, 2)])[:80], Kind.PROMETHEUS),
        ('{"data": {"resultType": "matrix"}, "status": "success"}', Kind.PROMETHEUS),
        ('{"data": [], "has_more": false, "object": "page"}', Kind.OPENAI_USAGE),
        (azure_trace(FEW), Kind.AZURE_TRACE),
    ],
)
def test_each_kind_is_told_by_its_beginning(text: str, kind: Kind) -> None:
    assert detect(text) is kind


def test_a_prompt_about_prometheus_does_not_make_a_log_one() -> None:
    row = {"prompt": counters([(0, 1)]), "ts": 1, "status": "success", "data": {}}
    assert detect(json.dumps(row) + "\n") is Kind.REQUESTS_JSONL
