"""`breakeven simulate` prints the week beside the estimate's, the same for the same seed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.cli.week_configuration import configuration_of
from components.cost.simulation import simulate
from components.offline import load_stack
from components.project import stack_names
from tests.unit.cli.running import exit_code


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str) -> tuple[int, str]:
        code = exit_code(monkeypatch, "simulate", *arguments)
        return code, capsys.readouterr().out

    return call


@pytest.mark.parametrize("stack", ["article", "aws-prod"])
def test_the_estimate_beside_it_is_the_estimate(stack: str, run: Any) -> None:
    code, out = run(stack, "--format", "json")
    assert code == 0
    answer = json.loads(out)
    assumptions = load_stack(stack).assumptions
    plan = simulate(
        assumptions.load.requests_per_second(),
        assumptions.load.burst_factor,
        assumptions.capacity.requests_per_second,
        assumptions.fleet,
    )
    hours = len(assumptions.load.shape)
    assert answer["estimated"]["meanNodes"] == plan.mean_nodes
    assert answer["estimated"]["busyShare"] == plan.busy_share
    assert answer["estimated"]["nodeHours"] == pytest.approx(plan.mean_nodes * hours)
    assert answer["simulated"]["hours"] == hours
    assert all(len(series) == hours for series in answer["hours"].values())
    assert sum(answer["hours"]["nodes"]) == pytest.approx(answer["simulated"]["nodeHours"])
    assert answer["reasons"]


def test_text_has_both_figures_and_why_they_differ(run: Any) -> None:
    code, out = run("aws-prod", "--seed", "4")
    assert code == 0
    assert "By the estimate" in out
    assert "1,869.91" in out
    assert "By plan 2.54 replicas run on average" in out
    assert max(len(line) for line in out.splitlines()) <= 96


def test_a_seed_is_a_week(run: Any) -> None:
    one, same, other = (run("article", "--seed", seed)[1] for seed in ("1", "1", "2"))
    assert one == same
    assert one != other


def test_interruptions_are_of_nodes_in_a_month(run: Any) -> None:
    stack = load_stack("aws-prod")
    assert configuration_of(stack, 7.3).interruptions_per_node_hour == pytest.approx(0.01)
    calm, often = (
        json.loads(run("aws-prod", "--interruptions", count, "--format", "json")[1])["simulated"]
        for count in ("0", "60")
    )
    assert often["objectiveShare"] < calm["objectiveShare"]


@pytest.mark.parametrize("stack", stack_names())
def test_a_replica_is_planned_as_in_the_estimate(stack: str) -> None:
    loaded = load_stack(stack)
    service = configuration_of(loaded, 0.0).service
    planned = loaded.assumptions.capacity
    assert service.slots >= planned.concurrent_requests
    rate = planned.concurrent_requests / service.seconds(planned.concurrent_requests)
    assert rate == pytest.approx(planned.requests_per_second, rel=0.02)


def test_an_unknown_stack_is_named(run: Any) -> None:
    assert run("nowhere")[0] == 1
