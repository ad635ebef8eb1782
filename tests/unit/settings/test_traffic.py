"""Percentiles of request lengths are complete, in order, and in whole tokens."""

from __future__ import annotations

import pytest

from breakeven.settings.files import with_settings
from breakeven.settings.parse import parse


def test_percentiles_are_read_in_order_from_a_mapping_or_its_json() -> None:
    stated = {"max": 900, "p50": 200, "p10": "50"}
    for value in (stated, '{"max": 900, "p50": 200, "p10": 50}'):
        stack, problems = parse({"traffic": {"inputPercentiles": value}})
        [model] = stack.models
        assert problems == ()
        assert list(model.traffic.input_percentiles.items()) == [
            ("p10", 50),
            ("p50", 200),
            ("max", 900),
        ]
        assert model.traffic.output_percentiles == {}


@pytest.mark.parametrize(
    ("stated", "found", "allowed"),
    [
        ({"p50": 10}, "found p50", "p50 and max"),
        ({"p5": 1, "p50": 1, "max": 2}, "found p5", "p10, p25"),
        ({"p50": 30, "max": 20}, "p50 is 30 and max is 20", "at least as long"),
        ({"p50": -1, "max": 20}, "found -1", "whole numbers of tokens"),
        ({"p50": 1.5, "max": 20}, "found 1.5", "whole numbers of tokens"),
        ([1, 2], "[1, 2]", "a mapping"),
    ],
)
def test_other_percentiles_are_a_mistake(stated: object, found: str, allowed: str) -> None:
    _, [problem] = parse({"traffic": {"outputPercentiles": stated}})
    assert problem.key == "traffic.outputPercentiles"
    assert found in problem.found
    assert allowed in problem.allowed


@pytest.mark.parametrize("written", ["2k", "2e3", "2_000", "2000", 2_000, "0.002M"])
@pytest.mark.parametrize(
    "key",
    [
        *("traffic.tokensPerDay", "traffic.inputTokens", "traffic.outputTokens"),
        *("traffic.sharedPrefixTokens", "model.maxLength"),
        *("api.escalation.inputTokens", "api.escalation.outputTokens"),
    ],
)
def test_numbers_of_tokens_are_taken_as_people_write_them(written: object, key: str) -> None:
    problems = parse(with_settings({}, {key: written}))[1]
    assert not [problem for problem in problems if problem.key == key]
