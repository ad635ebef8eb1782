"""What a simulated week cannot do, whatever the load and the fleet."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from breakeven.cost.fleet.plan import Fleet
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration, ReplicaSpeed
from breakeven.cost.fleet.simulation.result import WeekTotals
from breakeven.cost.fleet.simulation.simulate import simulate_week, simulate_weeks
from tests.unit.cost.fleet.simulation.cases import CONFIGURATION, changed
from tests.unit.cost.strategies import fleets

seeds = st.integers(0, 1000)
bursts = st.floats(1.0, 10.0)


@st.composite
def configurations(draw: st.DrawFn) -> FleetConfiguration:
    alone = draw(st.floats(0.5, 60.0))
    slots = draw(st.integers(1, 256))
    fleet: Fleet = draw(fleets())
    if draw(st.booleans()):
        fleet = replace(fleet, lowest=0 if fleet.autoscaling else fleet.lowest)
    return FleetConfiguration(
        fleet=fleet,
        speed=ReplicaSpeed(
            slots=slots,
            seconds_alone=alone,
            seconds_full=alone if slots == 1 else alone * draw(st.floats(1.0, 5.0)),
            first_token_seconds=draw(st.floats(0.01, 3.0)),
            planned_requests_per_second=draw(st.floats(0.1, 20.0)),
        ),
        target_requests=draw(st.integers(1, 100)),
        target_waiting=draw(st.integers(1, 20)),
        growth_seconds=draw(st.floats(15.0, 1800.0)),
        node_start_seconds=draw(st.floats(0.0, 1.0)) * fleet.start_seconds,
        grace_seconds=draw(st.floats(0.0, 600.0)),
        objective_seconds=2.0,
        interruptions_per_node_hour=draw(st.sampled_from((0.0, 0.05))),
    )


rates = st.lists(st.one_of(st.just(0.0), st.floats(0.001, 20.0)), min_size=1, max_size=4).map(
    lambda hours: np.asarray(hours, dtype=np.float64)
)


@settings(max_examples=40, deadline=None)
@given(rates, bursts, configurations(), seeds)
def test_a_week_keeps_every_request_and_every_bound(
    hours: NDArray[np.float64], burst: float, configuration: FleetConfiguration, seed: int
) -> None:
    week = simulate_week(hours, burst, configuration, seed)
    totals, fleet = week.totals, configuration.fleet
    came = totals.in_flight_at_start + totals.requests
    assert came == totals.served + totals.in_flight_at_end
    lowest = fleet.lowest if fleet.autoscaling else fleet.highest
    assert lowest <= min(week.hours.replicas)
    assert max(week.hours.replicas) <= totals.peak_replicas <= fleet.highest
    assert (np.asarray(week.hours.ready_replicas) <= np.asarray(week.hours.replicas)).all()
    room = np.asarray(week.hours.nodes) * fleet.replicas_per_node
    assert (room >= np.asarray(week.hours.replicas) - 1e-9).all()
    assert 0 <= totals.busy_share <= 1
    assert 0 <= totals.objective_share <= 1
    assert totals.mean_queueing_seconds >= 0
    assert week.p95_queueing_seconds >= 0
    assert sum(week.hours.nodes) == pytest.approx(totals.node_hours)
    assert sum(week.hours.replicas) == pytest.approx(totals.mean_replicas * totals.hours)
    assert totals.gpu_hours == pytest.approx(totals.node_hours * fleet.gpus_per_node)


@settings(max_examples=8, deadline=None)
@given(rates, bursts, st.lists(configurations(), min_size=1, max_size=4), seeds)
def test_many_configurations_are_each_as_if_alone(
    hours: NDArray[np.float64], burst: float, many: list[FleetConfiguration], seed: int
) -> None:
    together = simulate_weeks(hours, burst, many, seed)
    for configuration, totals in zip(many, together, strict=True):
        alone = simulate_week(hours, burst, configuration, seed).totals
        for name in WeekTotals.__slots__:
            assert getattr(totals, name) == pytest.approx(getattr(alone, name), rel=1e-6), name


@settings(max_examples=25, deadline=None)
@given(configurations(), bursts, seeds)
def test_without_requests_only_the_lowest_replicas_run(
    configuration: FleetConfiguration, burst: float, seed: int
) -> None:
    calm = replace(configuration, interruptions_per_node_hour=0.0)
    week = simulate_week(np.zeros(2), burst, calm, seed)
    fleet = configuration.fleet
    lowest = fleet.lowest if fleet.autoscaling else fleet.highest
    nodes = fleet.fixed_nodes or math.ceil(lowest / fleet.replicas_per_node)
    assert week.totals.mean_replicas == lowest
    assert week.totals.mean_nodes == nodes
    assert (week.totals.requests, week.totals.served, week.totals.busy_share) == (0, 0, 0)
    assert week.totals.objective_share == 1


@settings(max_examples=6, deadline=None)
@given(st.floats(0.2, 4.0), st.floats(1.2, 4.0), seeds)
def test_more_load_never_takes_fewer_nodes_beyond_noise(
    rate: float, factor: float, seed: int
) -> None:
    hours = np.full(12, rate)
    less, more = (
        simulate_week(hours * times, 1.0, changed(highest=200), seed).totals.node_hours
        for times in (1.0, factor)
    )
    assert more >= less * 0.95


def test_a_longer_window_keeps_more_replicas() -> None:
    weeks = [
        simulate_week(np.full(48, 2.0), 1.8, changed(scale_down_seconds=seconds), 0).totals
        for seconds in (0.0, 300.0, 1200.0)
    ]
    served = [week.objective_share for week in weeks]
    assert served == sorted(served)
    assert weeks[2].mean_replicas > weeks[1].mean_replicas


def test_the_same_seed_is_the_same_week_and_another_is_not() -> None:
    hours = np.full(24, 2.0)
    one, same, other = (simulate_week(hours, 1.8, CONFIGURATION, seed) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_from_zero_the_first_request_waits_for_the_cold_start() -> None:
    hours = np.asarray([0.0, 0.002, 0.0])
    week = simulate_week(hours, 1.0, changed(lowest=0), 3)
    totals = week.totals
    assert totals.requests == totals.served > 0
    assert totals.objective_share < 1
    assert week.p95_queueing_seconds >= 330
    assert week.hours.nodes[0] == 0
    assert week.hours.nodes[2] < 0.5


def test_interruptions_cost_nodes_and_waiting() -> None:
    hours = np.full(48, 2.0)
    calm = simulate_week(hours, 1.0, CONFIGURATION, 0).totals
    often = replace(CONFIGURATION, interruptions_per_node_hour=0.3)
    troubled = simulate_week(hours, 1.0, often, 0).totals
    assert troubled.node_hours > calm.node_hours
    assert troubled.objective_share < calm.objective_share
    assert troubled.served + troubled.in_flight_at_end == (
        troubled.requests + troubled.in_flight_at_start
    )


def test_a_fleet_that_is_too_small_serves_what_it_can() -> None:
    speed = CONFIGURATION.speed
    week = simulate_week(np.full(6, 5.0), 1.0, changed(highest=2), 0)
    most = 2 * speed.slots / speed.seconds_full * 6 * 3600
    assert week.totals.served == pytest.approx(most, rel=0.03)
    assert week.totals.in_flight_at_end > 50_000
    assert week.totals.objective_share < 0.1


@settings(max_examples=10, deadline=None)
@given(st.floats(0.5, 4.0), seeds)
def test_busy_is_served_over_what_nodes_could_serve(rate: float, seed: int) -> None:
    totals = simulate_week(np.full(6, rate), 1.0, changed(highest=60), seed).totals
    could = totals.node_hours * 3600 * CONFIGURATION.speed.planned_requests_per_second
    assert totals.busy_share == pytest.approx(min(totals.served / could, 1.0))
    assert totals.idle_share == 1 - totals.busy_share
