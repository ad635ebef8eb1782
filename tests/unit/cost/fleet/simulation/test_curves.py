"""What is paid and started passes through what was simulated, and rises from the fewest nodes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.fleet.plan import FleetCurve
from breakeven.cost.fleet.simulation.curves import Point, curve, planned_nodes, simulate_fleet
from breakeven.cost.fleet.simulation.hours import Case, simulate_hours
from tests.unit.cost.fleet.simulation.cases import CONFIGURATION, cases, changed

RATES = next(case.rates for case in cases(168) if case.name == "published, high load")


def paid(curve: FleetCurve, planned: float) -> float:
    return float(curve.nodes_paid(planned))


def test_the_stack_s_own_week_is_on_the_line() -> None:
    followed = simulate_fleet(RATES, 1.8, CONFIGURATION, 0.75)
    planned = planned_nodes(Case(RATES, 1.8, CONFIGURATION))
    totals = followed.own.totals
    assert paid(followed.curve, planned) == pytest.approx(totals.mean_nodes)
    assert followed.curve.nodes_started(planned) == pytest.approx(totals.node_starts / totals.hours)
    assert followed.curve.replicas_started(planned) == pytest.approx(
        totals.replica_starts / totals.hours
    )
    assert followed.own == simulate_hours([Case(RATES, 1.8, CONFIGURATION)])[0]


def test_other_loads_are_near_the_line_too() -> None:
    followed = simulate_fleet(RATES, 1.8, CONFIGURATION, 0.75)
    growing = changed(highest=10**6)
    for factor in (0.5, 2.0, 5.0):
        case = Case(RATES * factor, 1.8, growing)
        [simulated] = simulate_hours([case])
        totals, planned = simulated.totals, planned_nodes(case)
        for line in (followed.curve, followed.curve_by_volume):
            assert paid(line, planned) == pytest.approx(totals.mean_nodes, rel=0.05)
        assert followed.curve_by_volume.nodes_started(planned) == pytest.approx(
            totals.node_starts / totals.hours, rel=0.2
        )


def test_the_line_for_any_volume_does_not_depend_on_the_stack_s_own() -> None:
    lines = [
        simulate_fleet(RATES * factor, 1.8, configuration, 0.75).curve_by_volume
        for factor, configuration in ((0.01, CONFIGURATION), (1.0, changed(highest=90)))
    ]
    assert lines[0] == lines[1]


def test_an_api_that_takes_the_overflow_is_no_part_of_the_line_for_any_volume() -> None:
    hybrid = replace(CONFIGURATION, overflow_requests=16)
    line = simulate_fleet(RATES, 1.8, hybrid, 0.75).curve_by_volume
    assert line == simulate_fleet(RATES, 1.8, CONFIGURATION, 0.75).curve_by_volume


def test_of_nodes_that_do_not_come_and_go_only_interrupted_ones_start() -> None:
    fixed = changed(lowest=5, highest=5, autoscaling=False, replicas_per_node=2)
    spot = replace(fixed, interruptions_per_node_hour=0.25)
    followed = simulate_fleet(RATES, 1.8, spot, 0.75)
    line = followed.curve
    assert line == followed.curve_by_volume
    assert paid(line, 3) == 3
    assert float(line.nodes_started(3)) == 0.75
    assert float(line.replicas_started(3)) == 1.5


def test_a_sample_is_every_second_hour_and_near_the_week() -> None:
    case = Case(RATES, 1.8, CONFIGURATION)
    whole, sample = simulate_hours([case, replace(case, is_sample=True)])
    assert sample.totals.hours == whole.totals.hours / 2
    assert sample.nodes == tuple(whole.nodes[hour] for hour in replace(case, is_sample=True).hours)
    assert sample.totals.mean_nodes == pytest.approx(whole.totals.mean_nodes, rel=0.05)
    day = replace(case, rates=RATES[:24], is_sample=True)
    assert len(day.hours) == 24


nodes = st.floats(1.01, 100.0)
points = st.builds(
    lambda planned, ratio: Point(planned, planned * ratio, ratio, 2 * ratio),
    nodes,
    st.floats(0.3, 2.0),
)
LOWEST = Point(1.0, 1.0, 0.0, 0.0)


@given(points, st.lists(points, max_size=4))
def test_a_line_passes_through_its_stack_and_the_fewest_nodes(
    own: Point, others: list[Point]
) -> None:
    drawn = curve(LOWEST, others, own)
    assert paid(drawn, 1.0) == 1.0
    assert paid(drawn, own.planned) == pytest.approx(own.paid)
    assert drawn.nodes_started(own.planned) == pytest.approx(own.node_starts)
    assert list(drawn.planned) == sorted(drawn.planned)


def test_a_stack_at_its_fewest_nodes_is_drawn_by_larger_ones() -> None:
    lowest, larger = (
        Point(2.0, 2.0, 0.0, 0.0),
        [Point(4.0, 3.5, 2.0, 4.0), Point(8.0, 7.0, 3.0, 6.0)],
    )
    drawn = curve(lowest, larger, Point(2.0, 2.1, 0.5, 0.5))
    assert drawn == FleetCurve((2.0, 4.0, 8.0), (2.0, 3.5, 7.0), (0.5, 2.0, 3.0), (0.5, 4.0, 6.0))
    assert paid(drawn, 16.0) == 14.0
    assert drawn.nodes_started(16.0) == 6.0
    assert paid(FleetCurve(), 3.3) == 3.3
    assert FleetCurve().replicas_started(3.3) == 0
