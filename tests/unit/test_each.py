"""A test over many cases says which of them fail."""

from __future__ import annotations

import pytest

from tests.each import each


def test_every_failing_case_is_named_once() -> None:
    seen = []

    @each("one, two", [(1, 1), (1, 2), (2, 2), (3, 4)])
    def equal(one: int, two: int) -> None:
        seen.append(one)
        assert one == two

    with pytest.raises(pytest.fail.Exception) as caught:
        equal()
    message = str(caught.value)
    assert "2 of 4 cases fail" in message
    assert "one=1, two=2" in message
    assert "one=3, two=4" in message
    assert "two=1" not in message
    assert seen == [1, 1, 2, 3]


def test_an_error_in_a_case_is_reported_with_its_type() -> None:
    @each("text", ["1", "x"])
    def number(text: str) -> None:
        int(text)

    with pytest.raises(pytest.fail.Exception, match=r"text=x, line \d+: ValueError: invalid"):
        number()


@each("value", [1, 2])
def test_fixtures_reach_the_test(value: int, request: pytest.FixtureRequest) -> None:
    assert request.node.name == "test_fixtures_reach_the_test"
    assert value in {1, 2}


def test_no_cases_are_a_mistake() -> None:
    with pytest.raises(AssertionError, match="no cases"):
        each("value", [])
