"""Percentiles of lengths are those of the requests, a little longer at most, never shorter."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.percentiles import PERCENTILES
from breakeven.traffic.lengths import Lengths


@given(st.lists(st.integers(0, 2_000_000), min_size=1, max_size=200), st.floats(0.01, 1))
def test_a_percentile_is_the_length_that_its_share_does_not_exceed(
    requests: list[int], share: float
) -> None:
    lengths = Lengths()
    for tokens in requests:
        lengths.add(tokens)
    exact = sorted(requests)[math.ceil(share * len(requests) - 1e-9) - 1]
    assert exact <= lengths.percentile(share) <= exact * 1.008
    assert lengths.percentile(1) == lengths.longest == max(requests)


def test_short_lengths_are_exact_and_memory_does_not_grow_with_requests() -> None:
    lengths = Lengths()
    for tokens in range(100_000):
        lengths.add(tokens % 50_000)
    assert lengths.percentile(0.004) == 199
    assert len(lengths._bins) < 1_500


def test_percentiles_are_those_that_a_stack_states() -> None:
    lengths = Lengths()
    lengths.add(10)
    assert lengths.percentiles() == dict.fromkeys(PERCENTILES, 10)


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="no request"):
        Lengths().percentile(0.5)
