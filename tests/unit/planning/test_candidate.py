"""A trial is paid in addition to the bill, which stays the model's alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from breakeven.cli.budget import check_budget
from breakeven.cost.bill.candidate import CandidateCost
from breakeven.cost.report import Report
from breakeven.errors import OverBudgetError, SettingsError
from breakeven.planning.offline import load_values
from breakeven.planning.planned_cost import planned_costs
from breakeven.reports.document.writing import as_output
from breakeven.reports.estimate_text import render
from breakeven.reports.focus import focus_rows
from breakeven.settings.files import stack_values, with_settings

TODAY = date(2026, 11, 30)
CHANGE: dict[str, Any] = {"engine.kvCachePrecision": "fp8", "model.precision": "fp8"}
TRIAL: dict[str, Any] = {"candidate.settings": CHANGE, "candidate.replicas": 2}
GATEWAY: dict[str, Any] = {"gateway.enabled": True, "gateway.teams": {"chat": {}}}
H100: dict[str, Any] = {"pool.gpu": "h100", "pool.instanceTypes": ["p5.4xlarge"]}


def estimated(stack: str, changes: dict[str, Any]) -> Report:
    values = with_settings(stack_values(stack), changes)
    return load_values(stack, values, TODAY).report_with_levers()


@cache
def alone() -> Report:
    return estimated("hybrid", {})


@cache
def tried() -> Report:
    return estimated("hybrid", TRIAL)


def cost_of(report: Report) -> CandidateCost:
    assert report.candidate is not None
    return report.candidate


def test_bill_break_even_verdict_and_levers_are_those_of_the_model_alone() -> None:
    assert alone().candidate is None
    assert tried().infrastructure.lines == alone().infrastructure.lines
    for name in ("bill", "break_even", "hybrid", "verdict", "levers", "shortfall"):
        assert getattr(alone(), name) == getattr(tried(), name), name
    assert [one.total for one in alone().models] == [one.total for one in tried().models]


def test_a_trial_costs_its_nodes_at_all_hours_and_its_volumes() -> None:
    found = cost_of(tried())
    report = tried().assumptions
    nodes = [line for line in found.lines if line.kind in ("busy-nodes", "idle-nodes")]
    hours = sum((line.quantity for line in nodes), Decimal(0))
    assert found.nodes == 2
    assert hours == 2 * report.calendar.hours_per_month
    [model] = {
        line.unit_price for line in tried().infrastructure.lines if line.kind == "idle-nodes"
    }
    assert {line.unit_price for line in nodes} == {model}
    assert [line.name for line in found.lines if line.kind == "volume"] == [
        "model-candidate-weights"
    ]
    sums = sum((line.monthly for line in found.lines), Decimal(0)) + found.contingency
    assert found.monthly == sums
    assert tried().total_with_candidate == alone().total + sums
    assert not found.not_priced


def test_promoted_costs_what_the_stack_with_its_settings_costs() -> None:
    found, promoted = cost_of(tried()), estimated("hybrid", CHANGE)
    assert found.promoted.monthly == promoted.total
    assert found.promoted.usd_per_million_tokens == promoted.usd_per_million_tokens
    assert found.now.monthly == alone().total
    assert found.promoted.replica_tokens_per_second > found.now.replica_tokens_per_second


def test_in_a_pool_of_fixed_size_no_node_is_paid_for_a_trial() -> None:
    changes = {**GATEWAY, "candidate.settings": {"engine.maxRequests": 200}}
    report = estimated("steady", {**changes, "pool.nodeCount": 3})
    found = cost_of(report)
    assert found.nodes == 0
    assert {line.kind for line in found.lines} <= {"volume"}
    assert "on nodes that are paid anyway" in render(report)


def test_nodes_of_another_gpu_are_paid_at_its_price() -> None:
    found = cost_of(estimated("hybrid", {"candidate.settings": H100}))
    prices = {line.unit_price for line in found.lines if line.kind == "idle-nodes"}
    promoted = estimated("hybrid", H100)
    assert prices == {
        line.unit_price for line in promoted.infrastructure.lines if line.kind == "idle-nodes"
    }
    assert found.promoted.monthly == promoted.total


def test_a_commitment_is_not_for_the_nodes_of_a_trial() -> None:
    changes = {**TRIAL, "pricing.commitmentPercent": 30}
    found = cost_of(estimated("hybrid", changes))
    assert "commitment" not in {line.kind for line in found.lines}
    assert found.monthly == cost_of(tried()).monthly


def test_a_budget_is_for_the_trial_too() -> None:
    report = tried()
    limit = report.total + cost_of(report).monthly / 2
    with pytest.raises(OverBudgetError):
        check_budget(report, limit)
    check_budget(replace(report, candidate=None), limit)


def test_a_candidate_that_does_not_fit_its_gpu_is_refused_by_its_key() -> None:
    small = {"pool.gpu": "l4", "pool.instanceTypes": ["g6.xlarge"], "model.maxLength": 131072}
    values = with_settings(stack_values("hybrid"), {"candidate.settings": small})
    with pytest.raises(SettingsError) as refused:
        load_values("hybrid", values, TODAY)
    assert "candidate.settings.pool.gpu" in str(refused.value)


def test_every_output_shows_the_trial() -> None:
    report, found = tried(), cost_of(tried())
    text = render(report)
    assert "Total with the candidate" in text
    assert "Candidate promoted" in text
    part = as_output(report)["candidate"]
    assert isinstance(part, dict)
    assert Decimal(part["monthly"]) == found.monthly
    rows = sum(Decimal(row["ListCost"] or 0) for row in focus_rows(report))
    assert abs(rows - report.total_with_candidate) < Decimal("0.5")
    [planned] = planned_costs(report)
    assert planned.candidate_hour == found.monthly / planned.hours_per_month
    assert planned.monthly == planned_costs(alone())[0].monthly
