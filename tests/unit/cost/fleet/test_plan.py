"""What a simulated week cannot do, whatever the load and the fleet."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from breakeven.cost.fleet.plan import Fleet, FleetCurve, following_nodes, plan_week, wanted_replicas
from tests.unit.cost.strategies import bursts, capacities, fleets, profiles

_ROUNDING = 1e-9

PLAIN = Fleet(
    lowest=1,
    highest=100,
    autoscaling=True,
    replicas_per_node=1,
    gpus_per_node=1,
    fixed_nodes=None,
    start_seconds=1200,
    scale_down_seconds=600,
)
"""A start wastes half an hour."""


@given(profiles(), capacities, fleets())
def test_replicas_are_never_fewer_than_the_lowest_nor_more_than_the_highest(
    rates: NDArray[np.float64], capacity: float, fleet: Fleet
) -> None:
    replicas = wanted_replicas(rates, capacity, fleet)
    assert len(replicas) == len(rates)
    assert fleet.lowest <= replicas.min()
    assert replicas.max() <= fleet.highest
    if not fleet.autoscaling:
        assert replicas.min() == fleet.highest


@given(profiles(), capacities)
def test_each_hour_has_the_fewest_replicas_that_carry_its_peak(
    rates: NDArray[np.float64], capacity: float
) -> None:
    replicas = wanted_replicas(rates, capacity, replace(PLAIN, highest=10**9))
    assert (replicas * capacity * (1 + _ROUNDING) + capacity * _ROUNDING >= rates).all()
    spare = replicas > PLAIN.lowest
    assert ((replicas[spare] - 1) * capacity < rates[spare]).all()


@given(profiles(), bursts, capacities, fleets())
def test_served_is_at_most_demand_and_at_most_what_replicas_can_do(
    rates: NDArray[np.float64], burst: float, capacity: float, fleet: Fleet
) -> None:
    week = plan_week(rates, burst, capacity, fleet)
    assert 0 <= week.unserved_share <= 1
    served = (1 - week.unserved_share) * rates.sum()
    replicas = wanted_replicas(rates * burst, capacity, fleet)
    assert served <= float(replicas.sum()) * capacity * (1 + _ROUNDING) + _ROUNDING


@given(profiles(), bursts, capacities, fleets())
def test_shares_lie_between_nothing_and_all(
    rates: NDArray[np.float64], burst: float, capacity: float, fleet: Fleet
) -> None:
    week = plan_week(rates, burst, capacity, fleet)
    assert 0 < week.busy_share <= 1


@given(profiles(), bursts, capacities, fleets())
def test_work_done_is_demand_less_what_is_not_served(
    rates: NDArray[np.float64], burst: float, capacity: float, fleet: Fleet
) -> None:
    week = plan_week(rates, burst, capacity, fleet)
    provisioned = week.mean_nodes * fleet.replicas_per_node * capacity
    assert week.busy_share * provisioned == pytest.approx(
        (1 - week.unserved_share) * rates.mean(), rel=1e-9, abs=1e-12
    )


@given(profiles(), bursts, capacities, fleets())
def test_a_fleet_that_may_grow_serves_everything(
    rates: NDArray[np.float64], burst: float, capacity: float, fleet: Fleet
) -> None:
    growing = replace(fleet, autoscaling=True, highest=10**9, fixed_nodes=None)
    week = plan_week(rates, burst, capacity, growing)
    assert week.unserved_share == pytest.approx(0, abs=1e-8)


@given(profiles(), st.floats(0.001, 1000.0), bursts, capacities, fleets())
def test_fixed_nodes_are_paid_whatever_the_load(
    rates: NDArray[np.float64], factor: float, burst: float, capacity: float, fleet: Fleet
) -> None:
    fixed = replace(fleet, fixed_nodes=math.ceil(fleet.highest / fleet.replicas_per_node))
    quiet = plan_week(rates, 1.0, capacity, fixed)
    loud = plan_week(rates * factor, burst, capacity, fixed)
    assert quiet.mean_nodes == loud.mean_nodes == fixed.fixed_nodes


@given(profiles(), st.floats(1.0, 100.0), bursts, capacities, fleets())
def test_more_load_never_takes_fewer_nodes(
    rates: NDArray[np.float64], factor: float, burst: float, capacity: float, fleet: Fleet
) -> None:
    less = plan_week(rates, burst, capacity, fleet)
    more = plan_week(rates * factor, burst, capacity, fleet)
    assert more.mean_nodes >= less.mean_nodes - _ROUNDING
    assert more.peak_replicas >= less.peak_replicas


@given(profiles(), bursts, bursts, capacities, fleets())
def test_a_sharper_peak_minute_never_takes_fewer_nodes(
    rates: NDArray[np.float64], one: float, other: float, capacity: float, fleet: Fleet
) -> None:
    calm = plan_week(rates, min(one, other), capacity, fleet)
    sharp = plan_week(rates, max(one, other), capacity, fleet)
    assert sharp.mean_nodes >= calm.mean_nodes - _ROUNDING
    assert sharp.unserved_share <= calm.unserved_share + _ROUNDING


@given(profiles(), bursts, capacities, st.floats(1.0, 10.0), fleets())
def test_a_faster_replica_never_takes_more_nodes_nor_serves_less(
    rates: NDArray[np.float64], burst: float, capacity: float, factor: float, fleet: Fleet
) -> None:
    slow = plan_week(rates, burst, capacity, fleet)
    fast = plan_week(rates, burst, capacity * factor, fleet)
    assert fast.mean_nodes <= slow.mean_nodes + _ROUNDING
    assert fast.unserved_share <= slow.unserved_share + _ROUNDING


@given(st.floats(0.001, 1000.0), st.integers(1, 168), bursts, capacities, fleets())
def test_a_flat_week_has_no_starts(
    rate: float, hours: int, burst: float, capacity: float, fleet: Fleet
) -> None:
    rates = np.full(hours, rate)
    following = replace(fleet, fixed_nodes=None)
    replicas = wanted_replicas(rates * burst, capacity, following)[0]
    week = plan_week(rates, burst, capacity, following)
    assert week.mean_nodes == math.ceil(replicas / fleet.replicas_per_node)


@given(profiles(), st.integers(0, 30), bursts, capacities, fleets())
def test_it_does_not_matter_with_which_hour_the_week_begins(
    rates: NDArray[np.float64], shift: int, burst: float, capacity: float, fleet: Fleet
) -> None:
    week = plan_week(rates, burst, capacity, fleet)
    shifted = plan_week(np.roll(rates, shift), burst, capacity, fleet)
    assert shifted.mean_nodes == pytest.approx(week.mean_nodes, rel=1e-12)
    assert shifted.busy_share == pytest.approx(week.busy_share, rel=1e-9)
    assert shifted.unserved_share == pytest.approx(week.unserved_share, abs=1e-9)


def test_each_node_that_starts_is_paid_while_it_loads_and_waits() -> None:
    following = following_nodes(np.asarray([1, 2, 4, 1]), PLAIN)
    assert following.nodes == (1 + 2 + 0.5 + 4 + 2 * 0.5 + 1) / 4
    assert following.node_starts == following.replica_starts == 3 / 4


def test_replicas_that_share_a_node_start_it_once() -> None:
    following = following_nodes(np.asarray([1, 4, 5, 1]), replace(PLAIN, replicas_per_node=4))
    assert following.nodes == (1 + 1 + 2 + 0.5 + 1) / 4
    assert (following.node_starts, following.replica_starts) == (1 / 4, 4 / 4)


def test_the_first_hour_follows_the_last() -> None:
    following = following_nodes(np.asarray([3, 1]), PLAIN)
    assert following.nodes == (3 + 2 * 0.5 + 1) / 2


def test_starts_are_those_of_the_curve_where_there_is_one() -> None:
    rates = np.asarray([1.0, 2.0])
    planned = plan_week(rates, 1.0, 1.0, PLAIN)
    assert (planned.mean_nodes, planned.node_starts_per_hour) == (1.75, 0.5)
    curve = FleetCurve((1.0, 2.0), (1.0, 1.8), (0.0, 4.0), (0.0, 8.0))
    week = plan_week(rates, 1.0, 1.0, replace(PLAIN, curve=curve))
    assert week.mean_nodes == pytest.approx(1.6)
    assert (week.node_starts_per_hour, week.replica_starts_per_hour) == (3, 6)


def test_in_a_pool_of_fixed_size_replicas_start_and_no_node_does() -> None:
    curve = FleetCurve((1.0, 2.0), (1.0, 1.8), (0.0, 4.0), (0.0, 8.0))
    fixed = replace(PLAIN, fixed_nodes=5, curve=curve)
    week = plan_week(np.asarray([1.0, 2.0]), 1.0, 1.0, fixed)
    assert week.mean_nodes == 5
    assert (week.node_starts_per_hour, week.replica_starts_per_hour) == (0, 6)


def test_what_exceeds_the_highest_number_is_not_served() -> None:
    week = plan_week(np.asarray([1.0, 3.0]), 1.0, 1.0, replace(PLAIN, highest=2))
    assert week.unserved_share == pytest.approx(1 / 4)


def test_a_fleet_that_never_rests_is_all_busy_and_no_more() -> None:
    # The mean of five times 0.01 is a little more than that in binary.
    fleet = replace(PLAIN, lowest=5, highest=5, autoscaling=False)
    assert plan_week(np.full(3, 0.125), 1.0, 0.01, fleet).busy_share == 1


def test_a_load_of_exactly_whole_replicas_takes_no_further_one() -> None:
    # 3 x 0.1 is a little more than 0.3 in binary.
    assert wanted_replicas(np.asarray([3 * 0.1]), 0.1, PLAIN).tolist() == [3]


@given(profiles(), capacities, st.lists(st.integers(0, 30), min_size=1, max_size=168))
def test_a_schedule_only_adds_replicas_and_never_beyond_the_highest(
    rates: NDArray[np.float64], capacity: float, scheduled: list[int]
) -> None:
    fleet = replace(PLAIN, highest=20)
    without = wanted_replicas(rates, capacity, fleet)
    with_it = wanted_replicas(rates, capacity, replace(fleet, scheduled=tuple(scheduled)))
    hours = np.resize(np.array(scheduled), rates.shape)
    assert (with_it == np.minimum(np.maximum(without, hours), 20)).all()
