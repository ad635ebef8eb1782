"""A kind is detected from the structure of a file, never by words in its prompts."""

from __future__ import annotations

import json

import pytest

from breakeven.traffic.kind import Head
from breakeven.traffic.kinds import KINDS, detect
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
        (requests_csv(FEW), "requests-csv"),
        ("when;read;written\n", "requests-csv"),
        ("\n", "requests-csv"),
        (requests_jsonl(FEW), "requests-jsonl"),
        ("[not json", "requests-jsonl"),
        ("[]", "requests-jsonl"),
        (openai_page([bucket(0, 60, (1, 2, 3))]), "openai-usage"),
        (openai_page([bucket(0, 60, (1, 2, 3))])[:60], "openai-usage"),
        (f"[{openai_page([bucket(0, 60, (1, 2, 3))])}]", "openai-usage"),
        (OPENAI_HEADER, "openai-usage"),
        (litellm_jsonl(FEW), "litellm"),
        (json.dumps([litellm_row(FEW[0])]), "litellm"),
        (LITELLM_HEADER, "litellm"),
        (counters([(0, 1), (60, 2)]), "prometheus"),
        (counters([(0, 1), (60, 2)])[:80], "prometheus"),
        ('{"data": {"resultType": "matrix"}, "status": "success"}', "prometheus"),
        ('{"data": [], "has_more": false, "object": "page"}', "openai-usage"),
        (azure_trace(FEW), "azure-trace"),
    ],
)
def test_each_kind_is_recognized_by_its_beginning(text: str, kind: str) -> None:
    assert detect(Head(text)) is KINDS[kind]


def test_a_prompt_about_prometheus_does_not_make_a_log_one() -> None:
    row = {"prompt": counters([(0, 1)]), "ts": 1, "status": "success", "data": {}}
    assert detect(Head(json.dumps(row) + "\n")) is KINDS["requests-jsonl"]
