"""The load-duration curve says what a fleet of constant size serves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from breakeven.cost.demand.load_duration import LoadDuration
from breakeven.cost.fleet.plan import Fleet, plan_week
from breakeven.cost.fleet.simulation.demand import rates_by_minute
from tests.unit.cost.builders import assumptions
from tests.unit.cost.strategies import capacities, profiles


@given(profiles(), capacities, st.integers(1, 12))
def test_what_it_does_not_serve_is_what_a_fleet_of_that_size_does_not(
    rates: NDArray[np.float64], capacity: float, nodes: int
) -> None:
    fleet = Fleet(
        lowest=nodes,
        highest=nodes,
        autoscaling=False,
        replicas_per_node=1,
        gpus_per_node=1,
        fixed_nodes=nodes,
        start_seconds=0,
        scale_down_seconds=0,
    )
    week = plan_week(rates, 1.0, capacity, fleet)
    served = LoadDuration(rates).served_share(nodes * capacity)
    assert served == pytest.approx(1 - week.unserved_share, abs=1e-12)


@given(profiles(), st.floats(0.0, 2.0))
def test_the_peak_serves_all_and_less_serves_less(rates: NDArray[np.float64], part: float) -> None:
    curve = LoadDuration(rates)
    assert curve.peak == rates.max()
    assert curve.mean == pytest.approx(float(rates.mean()))
    assert curve.served_share(curve.peak) == pytest.approx(1.0)
    assert 0 <= curve.served_share(part * curve.peak) <= 1
    assert curve.served_share(part * curve.peak) <= curve.served_share(2 * part * curve.peak)


def test_a_load_has_the_minutes_that_the_simulation_draws() -> None:
    load = replace(assumptions().load, burst_factor=2.0)
    rates = rates_by_minute(load.requests_per_second(), load.burst_factor, seed=0)
    assert LoadDuration.of(load).peak == rates.max()
