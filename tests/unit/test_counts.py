"""Large numbers are read as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.counts import read_count
from breakeven.settings.parse import parse
from tests.each import each


@each(
    "text, number",
    [
        ("60000000", 60_000_000),
        ("60_000_000", 60_000_000),
        ("60M", 60_000_000),
        ("1.5B", 1_500_000_000),
        ("500k", 500_000),
        ("5e7", 50_000_000),
        ("2.5E3", 2_500),
        (" 7 ", 7),
    ],
)
def test_a_number_is_read(text: str, number: int) -> None:
    assert read_count(text) == number


@each(
    "text", ["", "M", "60 M", "-5", "1.5", "1e-3", "5e100", "60MM", "60m", "0x10", "NaN", "\u0663"]
)
def test_what_is_not_a_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="allowed: a whole number such as"):
        read_count(text)


@given(st.integers(0, 10**15))
def test_a_plain_number_is_itself(number: int) -> None:
    assert read_count(str(number)) == read_count(f"{number:_}") == number


@each("stated, number", [("60M", 60_000_000), ("5e7", 50_000_000), (7, 7)])
def test_a_stack_states_its_tokens_so(stated: object, number: int) -> None:
    stack, problems = parse({"traffic": {"tokensPerDay": stated}})
    assert stack.models[0].traffic.tokens_per_day == number
    assert not [problem for problem in problems if problem.key == "traffic.tokensPerDay"]


def test_a_stack_with_an_invalid_text_is_told_what_is_allowed() -> None:
    _, problems = parse({"traffic": {"tokensPerDay": "60 million"}})
    [problem] = [problem for problem in problems if problem.key == "traffic.tokensPerDay"]
    assert "60 million" in problem.found
