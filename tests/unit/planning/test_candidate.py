"""A trial is paid in addition to the bill, which stays the model's alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from breakeven.cli.budget import check_budget
from breakeven.cost.bill.candidate import CandidateCost
from breakeven.cost.bill.line_item import monthly_of
from breakeven.cost.chargeback.statement import Statement, Use, statement
from breakeven.cost.reconciliation.kind import TrialReplicas
from breakeven.cost.reconciliation.node_counts import from_node_counts
from breakeven.cost.reconciliation.observations import Observed
from breakeven.cost.reconciliation.parts import Part, planned_parts
from breakeven.cost.reconciliation.reconcile import reconcile
from breakeven.cost.report import Report
from breakeven.errors import OverBudgetError, SettingsError
from breakeven.planning.offline import load_values
from breakeven.planning.planned_cost import planned_costs
from breakeven.reports.document.writing import as_output
from breakeven.reports.estimate_text import render
from breakeven.reports.focus import focus_rows
from breakeven.settings.files import stack_values, with_settings

CLOUD_PARTS: tuple[Part, ...] = ("nodes", "cpuNodes", "controlPlane", "storage", "network", "other")
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
    [found] = report.candidates
    return found


def test_bill_break_even_verdict_and_levers_are_those_of_the_model_alone() -> None:
    assert not alone().candidates
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
    check_budget(replace(report, candidates=()), limit)


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
    parts = as_output(report)["candidates"]
    assert isinstance(parts, list)
    [part] = parts
    assert Decimal(part["monthly"]) == found.monthly
    rows = sum(Decimal(row["ListCost"] or 0) for row in focus_rows(report))
    assert abs(rows - report.total_with_candidate) < Decimal("0.5")
    [planned] = planned_costs(report)
    assert planned.candidate_hour == found.monthly / planned.hours_per_month
    assert planned.monthly == planned_costs(alone())[0].monthly


def test_gpu_hours_of_a_trial_are_charged_to_those_who_use_the_model() -> None:
    uses = [Use(team="a", own_tokens=Decimal(3)), Use(team="b", own_tokens=Decimal(1))]
    before, after = statement(alone(), uses, "used"), statement(tried(), uses, "used")
    assert after.total == tried().total_with_candidate
    assert after.total - before.total == cost_of(tried()).monthly

    def nodes(found: Statement) -> Decimal:
        return sum((one.parts["busy"] + one.parts["idle"] for one in found.charges), Decimal(0))

    of_trial = [
        line for line in cost_of(tried()).lines if line.kind in ("busy-nodes", "idle-nodes")
    ]
    assert nodes(after) - nodes(before) == sum((line.monthly for line in of_trial), Decimal(0))


def test_a_trial_that_went_as_planned_has_no_remainder_when_reconciled() -> None:
    values = with_settings(stack_values("hybrid"), TRIAL)
    loaded = load_values("hybrid", values, TODAY)
    found, bill = cost_of(tried()), tried().bill
    lines = (*tried().infrastructure.lines, *found.lines)
    parts = planned_parts(lines)
    charged = {part: parts[part] for part in CLOUD_PARTS if part in parts}
    seen = Observed(
        mean_nodes=tried().week.mean_nodes + found.nodes,
        cost_per_month=monthly_of(lines) - bill.by_api_monthly,
        cost_covers="machines",
        parts=charged,
    )
    answer = reconcile(
        loaded.ledger(), loaded.assumptions, seen, lambda _: loaded.assumptions, found
    )
    assert answer.planned == answer.by_all == tried().total_with_candidate
    assert answer.cost is not None
    assert answer.cost.remainder == 0
    assert answer.explanation is not None
    assert answer.explanation.planned == tried().total_with_candidate
    assert {step.monthly for step in answer.explanation.steps if step.cause != "contingency"} == {0}


def test_replicas_of_a_trial_count_as_nodes_where_prometheus_counts_replicas() -> None:
    trial = TrialReplicas(name="model-candidate", replicas_per_node=2, nodes=1)

    def answer(**replicas: int) -> str:
        series = [
            {"metric": {"deployment": name.replace("_", "-")}, "values": [[0, str(count)]]}
            for name, count in replicas.items()
        ]
        return json.dumps({"data": {"result": series}})

    def nodes(text: str) -> float | None:
        return from_node_counts(text, "x", replicas_per_node=1, trial=trial).mean_nodes

    assert nodes(answer(model=3, model_candidate=3)) == 3 + 2
    assert nodes(answer(model=3)) == 3 + 1  # not counted, so as planned


SEVERAL: dict[str, Any] = {
    **GATEWAY,
    "pool.gpuQuota": 40,
    "models[0].candidate.settings": {"engine.kvCachePrecision": "fp8"},
    "models[1].candidate.settings": {"engine.kvCachePrecision": "fp8"},
    "models[1].candidate.replicas": 2,
}


def test_trials_of_several_models_are_each_their_models_and_all_paid() -> None:
    before = estimated("two-models", {**GATEWAY, "pool.gpuQuota": 40})
    after = estimated("two-models", SEVERAL)
    assert after.total == before.total
    one, other = after.candidates
    assert [found.model for found in after.candidates] == [
        model.assumptions.model_name for model in after.models
    ]
    assert (one.nodes, other.nodes) == (1, 2)
    assert after.total_with_candidate == before.total + one.monthly + other.monthly
    assert {line.model for line in other.lines} == {other.model}
    uses = [
        Use(team="chat", model=one.model, own_tokens=Decimal(1)),
        Use(team="code", model=other.model, own_tokens=Decimal(1)),
    ]
    charged = statement(after, uses, "used").of_team("code")
    nodes = sum((line.monthly for line in other.lines), Decimal(0))
    assert charged - statement(before, uses, "used").of_team("code") >= nodes
    planned = [figures.candidate_hour for figures in planned_costs(after)]
    hours = after.assumptions.calendar.hours_per_month
    assert planned == [one.monthly / hours, other.monthly / hours]
    text = render(after)
    assert "Total with the candidates" in text
    assert f"Candidate of {other.model}, with 10% of the requests" in text
