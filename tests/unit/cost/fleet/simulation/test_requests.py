"""Requests are neither made nor lost, and end as fast as their replicas can."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.fleet.simulation.arithmetic import ONE
from breakeven.cost.fleet.simulation.parameters import parameters_of
from breakeven.cost.fleet.simulation.requests import Requests
from tests.unit.cost.fleet.simulation.cases import CONFIGURATION, SPEED

PARAMETERS = parameters_of(CONFIGURATION)
STEP = 15

steps = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.integers(0, 400).map(float),
        st.floats(-3, 3),
        st.floats(0, 0.999),
    ),
    max_size=80,
)


@given(st.integers(0, 300), steps)
def test_what_came_has_ended_or_is_in_flight(
    before: int, course: list[tuple[int, float, float, float]]
) -> None:
    requests = Requests(PARAMETERS, ONE, before, 2)
    came = float(before)
    ended = 0.0
    for ready, arrivals, normal, uniform in course:
        came += arrivals
        ended += float(requests.step(ready, 0, arrivals, normal, uniform))
        assert ended == int(ended)
        assert ended + float(requests.in_flight) == came
        assert 0 <= requests.leaving <= requests.in_flight
        assert 0 <= requests.waiting <= requests.in_flight
        assert requests.queue <= requests.waiting + 1e-6


@given(steps)
def test_without_a_replica_nothing_ends_and_all_wait(
    course: list[tuple[int, float, float, float]],
) -> None:
    requests = Requests(PARAMETERS, ONE, 0, 0)
    for _, arrivals, normal, uniform in course:
        assert requests.step(0, 0, arrivals, normal, uniform) == 0
        assert requests.waiting == requests.in_flight


def steady(replicas: int, rate: float, count: int) -> tuple[float, float]:
    """Returns mean requests in flight and ended in a second."""
    random = np.random.default_rng(0)
    requests = Requests(PARAMETERS, ONE, round(rate * SPEED.seconds(16)), replicas)
    held, ended = [], 0.0
    for _ in range(count):
        arrivals = float(random.poisson(rate * STEP))
        ended += float(
            requests.step(
                replicas, 0, arrivals, float(random.standard_normal()), float(random.random())
            )
        )
        held.append(float(requests.in_flight))
    return float(np.mean(held)), ended / count / STEP


@pytest.mark.parametrize(("replicas", "rate"), [(1, 0.02), (1, 0.4), (4, 2.0), (20, 10.0)])
def test_in_flight_is_rate_times_time_in_flight(replicas: int, rate: float) -> None:
    held, _ = steady(replicas, rate, 40_000)
    # The batch at which both sides are equal: Little's law with the line of Service.
    per_neighbour = SPEED.seconds_per_neighbour
    batch = 1.0
    for _ in range(200):
        batch = max(rate / replicas * (SPEED.seconds_alone + per_neighbour * (batch - 1)), 1.0)
    expected = rate * SPEED.seconds(batch)
    assert held == pytest.approx(expected, rel=0.04)


def test_a_full_fleet_ends_its_slots_in_the_time_of_a_full_batch() -> None:
    _, pace = steady(3, 5.0, 400)
    assert pace == pytest.approx(3 * SPEED.slots / SPEED.seconds_full, rel=0.02)


def test_fresh_replicas_get_what_comes_until_they_hold_as_many() -> None:
    requests = Requests(PARAMETERS, ONE, 100, 2)
    assert requests.waiting == 100 - 2 * SPEED.slots
    requests.step(4, 0, 40.0, 0.0, 0.5)
    assert requests.queue == 0
    assert requests.waiting > 0
    assert requests.queue_slots == 2 * SPEED.slots
    for _ in range(20):
        requests.step(4, 0, 40.0, 0.0, 0.5)
    assert requests.queue_slots == 4 * SPEED.slots


def test_replicas_that_stop_take_their_share_of_requests_along() -> None:
    requests = Requests(PARAMETERS, ONE, 40, 4)
    requests.step(3, 1, 0.0, 0.0, 0.5)
    assert 0 < requests.leaving < 10
    left = requests.leaving
    requests.step(3, 1, 100.0, 0.0, 0.5)
    assert requests.leaving < left
