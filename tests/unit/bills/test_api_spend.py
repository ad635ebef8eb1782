"""What an API charged is read from its own reports, in dollars."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from breakeven.bills.api_spend import read_api_spend
from breakeven.bills.charged import BillError

OPENAI: dict[str, Any] = {
    "object": "page",
    "data": [
        {
            "object": "bucket",
            "start_time": 1_795_000_000,
            "end_time": 1_795_086_400,
            "results": [
                {
                    "object": "organization.costs.result",
                    "amount": {"value": 0.06, "currency": "usd"},
                },
                {"object": "organization.costs.result", "amount": {"value": 1, "currency": "usd"}},
            ],
        }
    ],
    "has_more": False,
}
ANTHROPIC: dict[str, Any] = {
    "data": [
        {
            "starting_at": "2026-11-01T00:00:00Z",
            "ending_at": "2026-11-02T00:00:00Z",
            "results": [{"amount": "12345.5", "currency": "USD"}],
        }
    ],
    "has_more": False,
}
DAILY: dict[str, Any] = {
    "results": [
        {
            "date": "2026-11-01",
            "metrics": {"spend": 3.5},
            "breakdown": {"models": {"vllm/own": {"metrics": {"spend": 1.5}}}},
        }
    ],
    "metadata": {"has_more": False},
}
LOG = [
    {"startTime": "2026-11-01T10:00:00Z", "model": "gpt-5.6-luna", "spend": 0.25},
    {"startTime": "2026-11-01T11:00:00Z", "model": "own", "spend": 9},
]
CSV = (
    "start_time_iso,end_time_iso,amount_value,amount_currency\n"
    "2026-11-01T00:00:00+00:00,2026-11-02T00:00:00+00:00,2.5,usd\n"
)


@pytest.mark.parametrize(
    ("text", "source", "usd"),
    [
        (json.dumps(OPENAI), "OpenAI", "1.06"),
        (CSV, "OpenAI", "2.5"),
        (json.dumps(ANTHROPIC), "Anthropic", "123.455"),  # its amounts are cents
        (json.dumps(DAILY), "LiteLLM", "2"),
        (json.dumps(LOG), "LiteLLM", "0.25"),
    ],
)
def test_a_report_is_read_without_the_own_model(text: str, source: str, usd: str) -> None:
    read = read_api_spend(text, "spend", ["own"])
    assert read is not None
    assert (read.source, read.usd) == (source, Decimal(usd))
    assert read.hours == 24


@pytest.mark.parametrize("text", ["tokensPerDay: 3", '{"status":"success"}', "[]", "{", "a,b\n1,2"])
def test_what_is_no_report_is_left_to_others(text: str) -> None:
    assert read_api_spend(text, "x", []) is None


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({**OPENAI, "has_more": True}, "more pages"),
        ({**ANTHROPIC, "has_more": True}, "more pages"),
        ([{**LOG[0], "spend": "NaN"}], "has no time or amount"),
        ([{"model": "gpt", "spend": 1}], "has no time or amount"),
        ([LOG[1]], "contains no cost"),
    ],
)
def test_a_report_that_is_cut_off_or_damaged_is_refused(document: object, said: str) -> None:
    with pytest.raises(BillError, match=said):
        read_api_spend(json.dumps(document), "spend.json", ["own"])
