"""The drawn requests have the load's hours and its peak minutes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.fleet.simulation.demand import (
    STEPS_PER_HOUR,
    DemandError,
    draw,
    minute_factors,
    poisson_quantiles,
)

seeds = st.integers(0, 2**32)


@given(st.integers(1, 40), st.floats(1.0, 50.0), seeds)
def test_minutes_have_mean_one_and_the_peak_that_is_set(
    hours: int, burst: float, seed: int
) -> None:
    factors = minute_factors(hours, burst, np.random.default_rng(seed))
    assert factors.shape == (hours, 60)
    assert factors.min() >= 0
    assert factors.mean(axis=1) == pytest.approx(1)
    assert factors.max(axis=1) == pytest.approx(burst, rel=1e-6)


def test_a_burst_factor_of_one_is_a_calm_hour() -> None:
    assert minute_factors(3, 1.0, np.random.default_rng(0)) == pytest.approx(1, abs=1e-9)


def test_minutes_that_follow_each_other_are_alike() -> None:
    logs = np.log(minute_factors(2000, 1.8, np.random.default_rng(0)))
    logs -= logs.mean(axis=1, keepdims=True)
    near = (logs[:, :-1] * logs[:, 1:]).mean() / (logs**2).mean()
    assert near == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("mean", [0.05, 0.7, 4.0, 19.9, 20.1, 90.0, 5000.0])
def test_counts_have_the_mean_and_variance_of_poisson(mean: float) -> None:
    normal = np.random.default_rng(1).standard_normal(200_000)
    counts = poisson_quantiles(np.full(200_000, mean), normal)
    assert counts.mean() == pytest.approx(mean, rel=0.015)
    assert counts.var() == pytest.approx(mean, rel=0.02)
    assert (counts == np.floor(counts)).all()
    assert counts.min() >= 0


@pytest.mark.parametrize("mean", [0.3, 3.0, 12.0])
def test_small_counts_have_poisson_probabilities(mean: float) -> None:
    normal = np.random.default_rng(2).standard_normal(200_000)
    counts = poisson_quantiles(np.full(200_000, mean), normal)
    for count in range(int(mean * 2) + 2):
        expected = math.exp(-mean) * mean**count / math.factorial(count)
        assert (counts == count).mean() == pytest.approx(expected, abs=0.004)


@given(st.floats(0, 300), st.floats(0, 300), st.floats(-4, 4))
def test_more_load_is_never_fewer_requests_by_the_same_draw(
    one: float, other: float, normal: float
) -> None:
    low, high = sorted((one, other))
    counts = poisson_quantiles(np.asarray([low, high]), np.full(2, normal))
    # At a mean of 20, where one formula takes over from the other, they may differ by one.
    assert counts[0] <= counts[1] + (low < 20 <= high)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=4), st.floats(1, 5), seeds)
def test_the_same_seed_draws_the_same_week(rates: list[float], burst: float, seed: int) -> None:
    one, other = (draw(np.asarray(rates), burst, seed) for _ in range(2))
    assert len(one.arrivals) == len(rates) * STEPS_PER_HOUR
    assert (one.arrivals == other.arrivals).all()
    assert (one.normal == other.normal).all()


def test_hours_have_the_requests_of_their_rate() -> None:
    rates = np.tile([0.0, 1.0, 5.0], 60)
    counts = draw(rates, 1.8, 0).arrivals.reshape(-1, 3, STEPS_PER_HOUR).sum(axis=(0, 2))
    assert counts[0] == 0
    assert counts[1:] == pytest.approx([60 * 3600, 60 * 18000], rel=0.01)


@pytest.mark.parametrize("rates", [[], [-1.0], [math.inf], [math.nan]])
def test_rates_that_are_none_are_refused(rates: list[float]) -> None:
    with pytest.raises(DemandError, match="0 or more"):
        draw(np.asarray(rates), 1.8, 0)


@pytest.mark.parametrize("burst", [0.9, 60.0, math.nan])
def test_a_burst_that_no_hour_can_have_is_refused(burst: float) -> None:
    with pytest.raises(DemandError, match="allowed: 1 to below 60"):
        draw(np.ones(1), burst, 0)
