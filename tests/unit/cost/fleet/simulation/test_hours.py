"""Hours simulated in parallel equal the hours of a week, except for carry-over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from breakeven.cost.fleet.simulation.hours import Case, simulate_hours
from breakeven.cost.fleet.simulation.simulate import simulate_week
from tests.unit.cost.fleet.simulation.cases import CONFIGURATION, cases, changed

NEAR = (
    "published, low load",
    "published, high load",
    "published, scale-down window 0",
    "published, 5 fixed nodes",
    "published, no bursts",
)
WEEK = [case for case in cases(168) if case.name in NEAR]


@pytest.mark.parametrize("case", WEEK, ids=lambda case: case.name)
def test_their_totals_are_those_of_one_hour_after_another(case: object) -> None:
    assert isinstance(case, type(WEEK[0]))
    [beside] = simulate_hours([Case(case.rates, case.burst_factor, case.configuration)])
    weeks = [
        simulate_week(case.rates, case.burst_factor, case.configuration, seed).totals
        for seed in range(2)
    ]
    assert beside.totals.requests == sum(week.requests for week in weeks)
    assert beside.totals.node_hours == pytest.approx(
        sum(week.node_hours for week in weeks), rel=0.005
    )
    late = np.mean([week.objective_share for week in weeks])
    assert beside.totals.objective_share == pytest.approx(late, abs=0.002)


def test_their_mean_is_the_total() -> None:
    [one] = simulate_hours([Case(WEEK[0].rates, 1.8, CONFIGURATION)])
    assert sum(one.nodes) * 2 == pytest.approx(one.totals.node_hours)
    assert np.mean(one.replicas) == pytest.approx(one.totals.mean_replicas)


def test_each_case_is_what_it_is_alone() -> None:
    rates = WEEK[0].rates
    both = [Case(rates, 1.8, CONFIGURATION), Case(rates * 3, 1.2, changed(lowest=2))]
    assert simulate_hours(both) == tuple(simulate_hours([one])[0] for one in both)


def test_without_a_replica_that_is_ready_every_request_is_cold() -> None:
    rates = np.asarray([0.0] * 12 + [0.01] * 12)
    never = replace(changed(lowest=0, highest=1, start_seconds=7200.0), node_start_seconds=0.0)
    [one] = simulate_hours([Case(rates, 1.0, never)])
    assert one.totals.cold_share > 0.5
    [warm] = simulate_hours([Case(rates, 1.0, CONFIGURATION)])
    assert warm.totals.cold_share == 0


def test_a_gateway_sends_on_what_the_fleet_does_not_hold_and_nothing_waits() -> None:
    case = next(one for one in cases(168) if one.name == "published, at most 4 replicas")
    bound = replace(case.configuration, overflow_requests=32.0)
    alone, beside = simulate_hours(
        [
            Case(case.rates, case.burst_factor, configuration)
            for configuration in (case.configuration, bound)
        ]
    )
    assert alone.totals.overflow_share == 0
    assert alone.totals.objective_share < 0.7
    assert 0.03 < beside.totals.overflow_share < 0.5
    assert beside.totals.objective_share > 0.98
    sent = beside.totals.overflow_share * beside.totals.requests
    kept = beside.totals.served + beside.totals.in_flight_at_end
    came = beside.totals.requests + beside.totals.in_flight_at_start
    assert kept + sent == pytest.approx(came, rel=1e-6)


def test_a_cold_start_goes_to_the_api_where_there_is_one() -> None:
    rates = np.asarray(([0.0] * 3 + [0.5]) * 6)
    scaled = replace(changed(lowest=0, highest=4), overflow_requests=32.0)
    [one] = simulate_hours([Case(rates, 1.0, scaled)])
    # A start is a tenth of an hour. The fleet wakes, though nothing is in flight meanwhile.
    assert 0.05 < one.totals.cold_share < 0.2
    assert one.totals.overflow_share >= one.totals.cold_share * 0.95
    assert one.totals.objective_share > 0.95
