"""Time to start, to drain and to roll out."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.manifests.serving.timings import (
    EXIT_MARGIN,
    EXPECTED_NODE_START,
    PRE_STOP,
    PROBE_PERIOD,
    Timings,
    doubling_period,
    replica_start,
    scale_up_period,
    stopping_seconds,
    timings_of,
)
from tests.each import each
from tests.recording import STACKS, settings_of


@given(longest=st.integers(min_value=10, max_value=3600))
def test_no_pod_is_killed_before_its_longest_request_ends(longest: int) -> None:
    timings = timings_of(settings_of("dev", **{"engine.longestRequestSeconds": longest}))
    assert timings.longest_request == longest < timings.drain
    assert timings.grace >= PRE_STOP + timings.drain + EXIT_MARGIN


def test_a_grace_period_that_would_cut_answers_is_refused() -> None:
    with pytest.raises(ValueError, match="grace 120 s is less"):
        Timings(
            pre_stop=15,
            longest_request=115,
            drain=120,
            grace=120,
            startup_budget=600,
            rollout=0,
        )


@each("speed, stack", product([10, 50, 200, 2000, 100_000], STACKS))
def test_a_start_may_take_longer_than_reading_the_weights(stack: str, speed: int) -> None:
    # Shorter probes kill large models in a loop (kserve#5062, kubeai#172, aibrix#782).
    settings = settings_of(stack, **{"weights.readMegabytesPerSecond": speed})
    reading = settings.model.repository_bytes / (speed * 1e6)
    timings = timings_of(settings)
    assert timings.startup_budget >= 2 * reading + 600
    assert timings.startup_budget % PROBE_PERIOD == 0


@pytest.mark.parametrize("stack", STACKS)
def test_a_rollout_may_take_as_long_as_all_replicas_one_after_the_other(stack: str) -> None:
    settings = settings_of(stack)
    timings = timings_of(settings)
    each = timings.startup_budget + timings.grace
    assert timings.rollout >= settings.replicas.max * each


@given(speed=st.integers(min_value=10, max_value=100_000))
def test_replicas_double_no_sooner_than_a_start_takes_nor_beyond_what_the_api_allows(
    speed: int,
) -> None:
    settings = settings_of("aws-prod", **{"weights.readMegabytesPerSecond": speed})
    period = scale_up_period(settings)
    assert 15 <= period <= 1800
    assert period >= min(replica_start(settings), 1800)


def test_a_start_has_the_node_s_where_one_is_started() -> None:
    there, started = settings_of("on-prem"), settings_of("aws-prod")
    for settings in (there, started):
        both = replica_start(settings, new_node=True)
        assert both - replica_start(settings, new_node=False) == EXPECTED_NODE_START
    assert replica_start(there) == replica_start(there, new_node=False)
    assert replica_start(started) == replica_start(started, new_node=True)


@pytest.mark.parametrize("stack", STACKS)
def test_no_replica_is_killed_before_its_last_request_may_have_ended(stack: str) -> None:
    settings = settings_of(stack)
    stopping = stopping_seconds(settings)
    assert timings_of(settings).grace > stopping > settings.engine.longest_request_seconds


@pytest.mark.parametrize(
    ("start", "period"), [(3.0, 15), (15.0, 15), (350.2, 351), (1800.0, 1800), (9000.0, 1800)]
)
def test_replicas_double_once_in_a_start_within_what_the_api_server_takes(
    start: float, period: int
) -> None:
    assert doubling_period(start) == period
