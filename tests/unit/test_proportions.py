"""The interval of a share that was counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.proportions import wilson_interval


@pytest.mark.parametrize(
    ("passed", "tried", "low", "high"),
    [
        # R, prop.test(15, 50, correct = FALSE): 0.1910, 0.4375; of 0 and 10 of 10: 0.2775.
        (15, 50, 0.1910, 0.4375),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
    ],
)
def test_the_interval_is_that_of_published_tables(
    passed: int, tried: int, low: float, high: float
) -> None:
    assert wilson_interval(passed, tried) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_interval_holds_the_share_and_stays_within_0_and_1(tried: int, share: float) -> None:
    passed = round(share * tried)
    low, high = wilson_interval(passed, tried)
    assert 0 <= low <= passed / tried <= high <= 1
    # The other share has the mirrored interval, and more tries narrow it.
    other = wilson_interval(tried - passed, tried)
    assert other == pytest.approx((1 - high, 1 - low), abs=1e-9)
    wider = wilson_interval(4 * passed, 4 * tried)
    assert wider[1] - wider[0] < high - low


@pytest.mark.parametrize(("passed", "tried"), [(1, 0), (-1, 5), (6, 5), (0, 0)])
def test_impossible_counts_are_refused(passed: int, tried: int) -> None:
    with pytest.raises(ValueError, match="allowed"):
        wilson_interval(passed, tried)
