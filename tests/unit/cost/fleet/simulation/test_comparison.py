"""The reasons say what made the difference, and only that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from breakeven.cost.fleet.simulation.comparison import Comparison, Difference, compare
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.reports.simulation import as_output, as_text
from tests.unit.cost.builders import assumptions, capacity
from tests.unit.cost.fleet.simulation.cases import CONFIGURATION, changed

DAY = (0.5, 1.5) * 12


def comparison(configuration: FleetConfiguration, rate: float, **load: Any) -> Comparison:
    """A day of which every second hour has three times the requests of the one before."""
    plain = assumptions()
    traffic = replace(
        plain.load, tokens_per_day=round(rate * 86_400 * 1000), shape=DAY, burst_factor=1.0
    )
    stack = assumptions(
        load=replace(traffic, **load),
        fleet=configuration.fleet,
        capacity=replace(
            capacity(CONFIGURATION.speed.planned_requests_per_second), concurrent_requests=16
        ),
    )
    return compare(stack, configuration, seed=0)


def test_fixed_nodes_are_the_same_in_both() -> None:
    fixed = changed(lowest=5, highest=5, autoscaling=False, fixed_nodes=5, start_seconds=170.0)
    one = comparison(fixed, 1.0)
    assert one.week.totals.mean_nodes == one.plan.mean_nodes == 5
    assert one.reasons() == (Difference.NONE_FIXED_NODES,)


def test_a_fleet_at_its_lowest_needs_no_explanation() -> None:
    one = comparison(changed(highest=1), 0.05)
    assert one.week.totals.mean_nodes == one.plan.mean_nodes == 1
    assert one.reasons()[0] is Difference.NONE_SAME_REPLICAS


def test_fewer_replicas_than_planned_are_explained_by_the_peak_minute() -> None:
    one = comparison(CONFIGURATION, 2.0, burst_factor=4.0)
    assert one.week.totals.mean_replicas < one.planned_replicas
    assert one.calm_replicas < one.planned_replicas
    assert Difference.FEWER_REPLICAS in one.reasons()


def test_more_replicas_than_planned_are_explained_by_starts() -> None:
    one = comparison(changed(scale_down_seconds=1800.0), 2.0)
    assert one.week.totals.mean_replicas > one.planned_replicas
    assert Difference.MORE_REPLICAS in one.reasons()


def test_nodes_with_room_are_named_where_they_hold_several_replicas() -> None:
    shared = comparison(changed(replicas_per_node=4), 2.0)
    assert Difference.PARTLY_FILLED_NODES in shared.reasons()
    alone = comparison(changed(scale_down_seconds=0.0), 2.0)
    assert Difference.DRAINING_NODES in alone.reasons()


def test_a_missed_objective_and_a_shortage_are_told_apart() -> None:
    bursts = comparison(changed(scale_down_seconds=0.0), 2.0, burst_factor=3.0)
    assert bursts.reasons()[-1] is Difference.QUEUEING
    shortage = comparison(changed(highest=2), 3.0)
    assert shortage.reasons()[-1] is Difference.BACKLOG


@pytest.mark.parametrize("configuration", [CONFIGURATION, changed(highest=2)])
def test_text_and_plain_values_have_the_same_figures(configuration: FleetConfiguration) -> None:
    one = comparison(configuration, 2.0)
    output: Any = as_output(one)
    text = as_text(one)
    month = float(one.assumptions.calendar.hours_per_month)
    for side in ("simulated", "planned"):
        assert f"{output[side]['meanNodes']:,.2f}" in text
        assert f"{output[side]['meanNodes'] * month:,.2f}" in text
        assert f"{output[side]['idleShare']:.1%}" in text
    assert f"{output['simulated']['objectiveShare']:.2%}" in text
    assert max(len(line) for line in text.splitlines()) <= 96
