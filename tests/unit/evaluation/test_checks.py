"""One answer against the checks of its prompt."""

from __future__ import annotations

from typing import Any

import pytest

from breakeven.evaluation.checks import failed_checks

SCHEMA = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}
CALL = {"name": "weather", "arguments": {"city": "Paris", "unit": "C"}}


@pytest.mark.parametrize(
    ("checks", "answer", "calls", "failed"),
    [
        ({"exact": "Paris"}, " Paris\n", [], []),
        ({"exact": "Paris"}, "paris", [], ["exact"]),
        ({"exact": ["Paris", "Paris."]}, "Paris.", [], []),
        ({"exact": ""}, "", [], []),
        ({"regex": "^Par"}, "Paris", [], []),
        ({"regex": "^aris"}, "Paris", [], ["regex"]),
        ({"json_schema": SCHEMA}, '{"city": "Paris"}', [], []),
        ({"json_schema": SCHEMA}, '```json\n{"city": "Paris"}\n```', [], []),
        ({"json_schema": SCHEMA}, '{"city": 3}', [], ["json_schema"]),
        ({"json_schema": SCHEMA}, "Paris", [], ["json_schema"]),
        ({"tool_call": {"name": "weather"}}, "", [CALL], []),
        ({"tool_call": {"name": "weather", "arguments": {"city": "Paris"}}}, "", [CALL], []),
        (
            {"tool_call": {"name": "weather", "arguments": {"city": "Rome"}}},
            "",
            [CALL],
            ["tool_call"],
        ),
        ({"tool_call": {"name": "weather", "arguments": {"day": None}}}, "", [CALL], ["tool_call"]),
        ({"tool_call": {"name": "weather"}}, "weather", [], ["tool_call"]),
        ({"tool_call": {"name": "w"}}, "", [{"name": "w", "arguments": "{"}], ["tool_call"]),
        ({"exact": "a", "regex": "b"}, "a", [], ["regex"]),
        ({"judge": "asked elsewhere"}, "a", [], []),
    ],
)
def test_an_answer_passes_only_if_it_keeps_every_check(
    checks: dict[str, Any], answer: str, calls: list[dict[str, Any]], failed: list[str]
) -> None:
    assert failed_checks(checks, answer, calls) == failed
