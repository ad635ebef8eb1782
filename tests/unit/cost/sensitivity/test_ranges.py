"""Ranges of inputs: what is read, and how it is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.sensitivity.ranges import (
    HIGHEST_PERCENT,
    INPUTS,
    LOWEST_PERCENT,
    InputRange,
    RangeError,
    default_ranges,
    parse_range,
)

percents = st.integers(LOWEST_PERCENT, HIGHEST_PERCENT)


@given(st.sampled_from(sorted(INPUTS)), percents, percents)
def test_a_range_that_is_written_is_read_back(name: str, one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert parse_range(f"{name}={low}:{high}") == (name, InputRange(low, high))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tokens",
        "tokens=",
        "tokens=80",
        "tokens=80:",
        "tokens=:80",
        "tokens=120:80",
        "tokens=0:100",
        "tokens=50:1001",
        "tokens=50:99999999999999999999",
        "tokens=-50:100",
        "tokens=50.5:100",
        "tokens=50:100:150",
        "tokens=\u0665\u0660:100",
        "tokens=nan:100",
        "gpu=50:100",
        "Tokens=50:100",
    ],
)
def test_anything_else_is_refused_and_the_message_shows_what_is_allowed(text: str) -> None:
    with pytest.raises(RangeError) as caught:
        parse_range(text)
    assert caught.value.found == text
    assert "LOW:HIGH" in caught.value.allowed


@given(percents, percents, st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=20))
def test_draws_lie_in_the_range_and_rise_with_the_uniform_number(
    one: int, other: int, numbers: list[float]
) -> None:
    low, high = sorted((one, other))
    drawn = InputRange(low, high).sample(np.sort(np.asarray(numbers)))
    assert drawn.min() >= low / 100 - 1e-12
    assert drawn.max() <= high / 100 + 1e-12
    assert (np.diff(drawn) >= -1e-12).all()


@pytest.mark.parametrize(("low", "high"), [(50, 150), (70, 110), (100, 300), (40, 90)])
def test_draws_have_the_mean_of_a_triangle(low: int, high: int) -> None:
    middle = (np.arange(200_000) + 0.5) / 200_000
    peak = min(max(100, low), high)
    mean = InputRange(low, high).sample(middle).mean()
    assert mean == pytest.approx((low + peak + high) / 300, rel=1e-4)


@given(st.floats(0.1, 99.9))
def test_the_default_of_capacity_is_at_least_its_band(error: float) -> None:
    ranges = default_ranges(error)
    assert set(ranges) == set(INPUTS)
    assert ranges["capacity"].low_percent <= max(LOWEST_PERCENT, 100 - error)
    assert ranges["capacity"].high_percent >= 100 + error
    assert all(one.low_percent <= 100 <= one.high_percent for one in ranges.values())
