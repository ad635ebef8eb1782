"""A currency needs its rate and day, and a rate its currency."""

from __future__ import annotations

import pytest

from breakeven.settings.files import stack_values, with_settings
from breakeven.settings.parse import parse


def found(**stated: object) -> set[str]:
    changes = {f"pricing.currency.{key}": value for key, value in stated.items()}
    _, problems = parse(with_settings(stack_values("dev"), changes))
    return {problem.key for problem in problems}


def test_a_rate_of_a_day_is_used() -> None:
    stack, problems = parse(
        with_settings(
            stack_values("dev"),
            {"pricing.currency": {"code": "EUR", "rate": "0.86", "asOf": "2026-11-27"}},
        )
    )
    assert not problems
    assert stack.pricing.currency.code == "EUR"


@pytest.mark.parametrize(
    ("stated", "keys"),
    [
        ({"code": "EUR"}, {"rate", "asOf"}),
        ({"code": "EUR", "rate": "0.86"}, {"asOf"}),
        ({"rate": "0.86"}, {"rate"}),
        ({"code": "euro", "rate": "0.86", "asOf": "2026-11-27"}, {"code"}),
        ({"code": "EUR", "rate": "0", "asOf": "2026-11-27"}, {"rate"}),
        ({"code": "EUR", "rate": "0.86", "asOf": "yesterday"}, {"asOf"}),
    ],
)
def test_anything_else_is_rejected_by_key(stated: dict[str, object], keys: set[str]) -> None:
    assert found(**stated) == {f"pricing.currency.{key}" for key in keys}
