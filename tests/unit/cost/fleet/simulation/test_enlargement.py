"""An enlarged fleet is the smallest that serves all of the load in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from breakeven.cost.fleet.plan import Fleet
from breakeven.cost.fleet.simulation import hours
from breakeven.cost.fleet.simulation.enlargement import (
    ServingFleet,
    constant,
    keeps_objective,
    required_share,
    run_searches,
    serving_fleet,
)
from breakeven.cost.fleet.simulation.hours import Case, simulate_hours
from tests.unit.cost.fleet.simulation.cases import CONFIGURATION, cases, changed

DAY = next(case.rates for case in cases(168) if case.name == "published, high load")[24:48]
CAPPED = Case(DAY, 1.8, changed(highest=4))
FIXED = Case(DAY, 1.8, changed(lowest=4, highest=4, autoscaling=False, fixed_nodes=4))


@pytest.fixture(autouse=True)
def one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search needs a load, not the two weeks that an estimate averages."""
    monkeypatch.setattr(hours, "AVERAGED_HOURS", 24)


def with_fleet(case: Case, fleet: Fleet) -> Case:
    return replace(case, configuration=replace(case.configuration, fleet=fleet))


def found(case: Case, at_once: int = 7) -> ServingFleet:
    [week] = simulate_hours([case])
    return run_searches([serving_fleet(case, week, at_once)])[0]


@pytest.mark.parametrize("case", [CAPPED, FIXED], ids=["capped", "fixed"])
def test_one_replica_fewer_is_not_enough(case: Case) -> None:
    serving = found(case)
    assert serving.enlarged
    assert keeps_objective(with_fleet(case, serving.fleet), serving.week)
    fleet = serving.fleet
    if not fleet.autoscaling:
        fewer = constant(fleet, fleet.highest - 1)
    elif fleet.lowest > case.configuration.fleet.lowest:
        fewer = replace(fleet, lowest=fleet.lowest - 1)
    else:
        fewer = replace(fleet, highest=fleet.highest - 1)
    smaller = with_fleet(case, fewer)
    assert not keeps_objective(smaller, simulate_hours([smaller])[0])


def test_a_fleet_that_is_large_enough_stays_as_it_is() -> None:
    case = Case(DAY, 1.8, changed(lowest=40, highest=40))
    serving = found(case)
    assert not serving.enlarged
    assert serving.fleet == case.configuration.fleet


def test_where_starts_are_too_slow_the_minimum_rises() -> None:
    late = replace(changed(highest=4, start_seconds=1500.0), node_start_seconds=1300.0)
    serving = found(Case(DAY, 4.0, late))
    assert serving.fleet.lowest > late.fleet.lowest
    assert serving.fleet.highest >= serving.fleet.lowest


def test_a_pool_of_fixed_size_grows_by_whole_nodes() -> None:
    fixed = changed(
        lowest=4, highest=4, autoscaling=False, fixed_nodes=1, replicas_per_node=4, gpus_per_node=4
    )
    serving = found(Case(DAY, 1.8, fixed))
    nodes = serving.fleet.fixed_nodes
    assert nodes is not None
    assert 1 < nodes == -(-serving.fleet.highest // 4)


def test_several_searches_beside_each_other_find_what_each_finds_alone() -> None:
    searches = [CAPPED, FIXED]
    weeks = simulate_hours(searches)
    beside = run_searches(
        [serving_fleet(case, week, 1) for case, week in zip(searches, weeks, strict=True)]
    )
    assert [one.fleet for one in beside] == [found(case).fleet for case in searches]


def test_no_fleet_is_enlarged_for_an_objective_that_a_prompt_alone_misses() -> None:
    hopeless = replace(CONFIGURATION, objective_seconds=0.001)
    case = Case(DAY, 1.8, replace(hopeless, fleet=replace(hopeless.fleet, lowest=40, highest=40)))
    assert required_share(case) == 0
    assert not found(case).enlarged
