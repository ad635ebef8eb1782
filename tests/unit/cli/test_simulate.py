"""`breakeven simulate` prints the week and the plan, and is reproducible for a seed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from breakeven.cost.fleet.plan import FleetCurve, plan_week
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.planning.fleet import configuration_of, interruptions_of
from breakeven.planning.offline import LoadedStack, load_stack
from breakeven.settings.files import stack_names
from tests.unit.cli.running import exit_code


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> tuple[int, str]:
        code = exit_code(monkeypatch, "simulate", *arguments)
        return code, capsys.readouterr().out

    return call


def configuration(stack: LoadedStack, interruptions: float) -> FleetConfiguration:
    found = stack.assumptions
    return configuration_of(stack.stack.models[0], found.load, found.capacity, interruptions)


@pytest.mark.parametrize("stack", ["article", "aws-prod"])
def test_the_schedule_also_shows_what_each_hours_peak_minute_needs(stack: str, run: Any) -> None:
    code, out = run(stack, "--format", "json")
    assert code == 0
    answer = json.loads(out)
    assumptions = load_stack(stack).assumptions
    plan = plan_week(
        assumptions.load.requests_per_second(),
        assumptions.load.burst_factor,
        assumptions.capacity.requests_per_second,
        replace(assumptions.fleet, curve=FleetCurve()),
    )
    hours = len(assumptions.load.shape)
    assert answer["planned"]["meanNodes"] == plan.mean_nodes
    assert answer["planned"]["busyShare"] == plan.busy_share
    assert answer["planned"]["nodeHours"] == pytest.approx(plan.mean_nodes * hours)
    assert answer["simulated"]["hours"] == hours
    assert all(len(series) == hours for series in answer["hours"].values())
    assert sum(answer["hours"]["nodes"]) == pytest.approx(answer["simulated"]["nodeHours"])
    assert answer["reasons"]


def test_text_has_both_figures_and_why_they_differ(run: Any) -> None:
    code, out = run("aws-prod", "--seed", "4")
    assert code == 0
    assert "Plan for peak minutes" in out
    assert "1,932.92" in out
    assert "The plan has 2.62 replicas on average" in out
    assert max(len(line) for line in out.splitlines()) <= 96


def test_a_seed_gives_the_same_week_each_time_and_another_seed_another_one(
    run: Any, one_day: None
) -> None:
    del one_day
    first, same, other = (run("article", "--seed", seed)[1] for seed in ("1", "1", "2"))
    assert first == same
    assert first != other


def test_interruptions_are_counted_per_node_and_month(run: Any, one_day: None) -> None:
    del one_day
    stack = load_stack("aws-prod")
    assert configuration(stack, 7.3).interruptions_per_node_hour == pytest.approx(0.01)
    calm, often = (
        json.loads(run("aws-prod", "--interruptions", count, "--format", "json")[1])["simulated"]
        for count in ("0", "730")
    )
    assert often["objectiveShare"] < calm["objectiveShare"]
    assert interruptions_of(stack.settings) == 0  # on demand


@pytest.mark.parametrize("stack", stack_names())
def test_a_replica_is_planned_as_in_the_estimate(stack: str) -> None:
    loaded = load_stack(stack)
    speed = configuration(loaded, 0.0).speed
    planned = loaded.assumptions.capacity
    assert speed.slots >= planned.concurrent_requests
    rate = planned.concurrent_requests / speed.seconds(planned.concurrent_requests)
    assert rate == pytest.approx(planned.requests_per_second, rel=0.02)


def test_an_unknown_stack_is_named(run: Any) -> None:
    assert run("nowhere")[0] == 1
