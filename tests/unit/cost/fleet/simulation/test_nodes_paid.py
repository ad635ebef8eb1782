"""What is paid passes through what was simulated, and rises from the fewest nodes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.fleet.plan import NodesPaid
from breakeven.cost.fleet.simulation.hours import Case, simulate_hours
from breakeven.cost.fleet.simulation.nodes_paid import curve, planned_nodes, simulate_fleet
from tests.unit.cost.fleet.simulation.cases import CONFIGURATION, cases, changed

RATES = next(case.rates for case in cases(168) if case.name == "published, high load")


def paid(curve: NodesPaid, planned: float) -> float:
    return float(curve.of(np.asarray(planned)))


def test_the_stack_s_own_week_is_on_the_line() -> None:
    followed = simulate_fleet(RATES, 1.8, CONFIGURATION, 0.75)
    planned = planned_nodes(Case(RATES, 1.8, CONFIGURATION))
    assert paid(followed.nodes_paid, planned) == pytest.approx(followed.own.totals.mean_nodes)
    assert followed.own == simulate_hours([Case(RATES, 1.8, CONFIGURATION)])[0]


def test_larger_loads_are_near_the_line_too() -> None:
    followed = simulate_fleet(RATES, 1.8, CONFIGURATION, 0.75)
    growing = changed(highest=10**6)
    for factor in (2.0, 5.0):
        case = Case(RATES * factor, 1.8, growing)
        [simulated] = simulate_hours([case])
        expected = simulated.totals.mean_nodes
        assert paid(followed.nodes_paid, planned_nodes(case)) == pytest.approx(expected, rel=0.05)


def test_nodes_that_do_not_come_and_go_are_paid_as_planned() -> None:
    fixed = changed(lowest=5, highest=5, autoscaling=False, fixed_nodes=5, start_seconds=170.0)
    assert simulate_fleet(RATES, 1.8, fixed, 0.75).nodes_paid == NodesPaid()


points = st.tuples(st.floats(1.01, 100.0), st.floats(0.3, 2.0)).map(
    lambda pair: (pair[0], pair[0] * pair[1])
)


@given(points, st.lists(points, max_size=4))
def test_a_line_passes_through_its_stack_and_the_fewest_nodes(
    own: tuple[float, float], larger: list[tuple[float, float]]
) -> None:
    drawn = curve(1, own, larger)
    assert paid(drawn, 1.0) == 1.0
    assert paid(drawn, own[0]) == pytest.approx(own[1])
    assert list(drawn.planned) == sorted(drawn.planned)


def test_a_stack_at_its_fewest_nodes_is_drawn_by_larger_ones() -> None:
    drawn = curve(2, (2.0, 2.1), [(4.0, 3.5), (8.0, 7.0)])
    assert drawn == NodesPaid((2.0, 4.0, 8.0), (2.0, 3.5, 7.0))
    assert paid(drawn, 16.0) == 14.0
    assert paid(NodesPaid(), 3.3) == 3.3
