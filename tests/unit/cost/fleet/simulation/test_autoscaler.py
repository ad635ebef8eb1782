"""The rule of KEDA and the horizontal pod autoscaler, case by case."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.fleet.simulation.arithmetic import ONE
from breakeven.cost.fleet.simulation.autoscaler import Autoscaler
from breakeven.cost.fleet.simulation.parameters import parameters_of
from tests.unit.cost.fleet.simulation.cases import changed


def scaler(replicas: int, **fleet: object) -> Autoscaler:
    """Aims at 16 in flight and 5 waiting a replica."""
    return Autoscaler(parameters_of(changed(**fleet)), ONE, replicas)


def course(one: Autoscaler, in_flight: list[int], waiting: int = 0) -> list[int]:
    return [int(one.step(count, waiting, 0, 0)) for count in in_flight]


def test_replicas_are_requests_in_flight_over_the_target_rounded_up() -> None:
    assert scaler(2).step(49, 0, 0, 0) == 4


def test_a_tenth_beside_the_target_changes_nothing() -> None:
    assert scaler(2).step(35, 0, 0, 0) == 2  # 1.09 times 32
    assert scaler(2).step(36, 0, 0, 0) == 3


def test_the_larger_of_both_answers_counts() -> None:
    assert scaler(4).step(64, 31, 0, 0) == 7


def test_replicas_double_at_most_in_the_time_of_a_start() -> None:
    period = 23  # steps of 15 seconds in 350
    assert course(scaler(1), [400] * 4 * period)[::period] == [2, 4, 8, 16]


def test_what_was_removed_within_the_period_may_come_back_and_double() -> None:
    one = scaler(4, scale_down_seconds=0.0)
    assert course(one, [0] * 5)[-1] == 2
    assert one.step(400, 0, 0, 0) == 8


def test_a_replica_goes_when_the_window_has_passed_and_then_one_a_minute() -> None:
    quiet = course(scaler(4), [64] * 20 + [0] * 40)
    # The last recommendation of four is 300 seconds old in the 20th quiet step.
    assert quiet[:39] == [4] * 39
    assert quiet[39:52] == [3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1]


def test_without_a_window_the_first_goes_at_once() -> None:
    assert course(scaler(4, scale_down_seconds=0.0), [0] * 6) == [3, 3, 3, 3, 2, 2]


def test_one_busy_poll_keeps_replicas_for_the_window() -> None:
    polls = ([0] * 19 + [64]) * 5
    assert course(scaler(4), polls) == [4] * 100


def test_without_autoscaling_the_highest_number_runs() -> None:
    assert course(scaler(3, highest=3, autoscaling=False), [0] * 50) == [3] * 50


def test_to_zero_only_after_the_cooldown_and_back_at_the_first_request() -> None:
    one = scaler(1, lowest=0)
    assert course(one, [1] + [0] * 40) == [1] * 26 + [0] * 15
    assert one.step(1, 1, 0, 0) == 1


def test_what_the_gateway_gets_keeps_the_first_replica_for_two_minutes_and_the_cooldown() -> None:
    one = scaler(0, lowest=0)
    # The API answers, so nothing is in flight.
    assert one.step(0, 0, 1, 0) == 1
    assert course(one, [0] * 30) == [1] * 26 + [0] * 4


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 300)), max_size=120),
    st.integers(0, 4),
    st.integers(0, 10),
)
def test_replicas_stay_between_the_bounds(
    polls: list[tuple[int, int]], lowest: int, more: int
) -> None:
    highest = max(lowest + more, 1)
    one = scaler(max(lowest, 1), lowest=lowest, highest=highest)
    for in_flight, waiting in polls:
        assert lowest <= one.step(in_flight, waiting, 0, 0) <= highest


def test_a_schedule_is_a_demand_among_others() -> None:
    one = scaler(1, highest=8)
    assert one.step(0, 0, 0, 4) == 2  # doubled at most, as for any demand
    one = scaler(4, highest=8)
    assert one.step(0, 0, 0, 6) == 6
    assert one.step(7 * 16, 0, 0, 6) == 7
    assert scaler(4, highest=5).step(0, 0, 0, 6) == 5


def test_a_schedule_wakes_a_fleet_that_was_at_zero() -> None:
    one = scaler(0, lowest=0)
    assert one.step(0, 0, 0, 2) >= 1
