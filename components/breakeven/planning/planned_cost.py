"""Takes from an estimate the figures that monitoring compares with what happens."""

from __future__ import annotations

from dataclasses import replace

from breakeven.catalog.apis.prices import ApiPrice
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.by_model import ModelCost
from breakeven.cost.bill.candidate import CandidateCost
from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.report import Report
from breakeven.manifests.monitoring.planned import PlannedApi, PlannedCost


def planned_costs(report: Report) -> tuple[PlannedCost, ...]:
    """Returns the figures that monitoring compares with what happens, for each model."""
    tried = {found.model: found for found in report.candidates}
    first, *others = (
        _with_candidate(_planned(report, model), tried.get(model.assumptions.model_name))
        for model in report.models
    )
    return (replace(first, budget=report.assumptions.budget_per_month), *others)


def _with_candidate(planned: PlannedCost, found: CandidateCost | None) -> PlannedCost:
    if found is None:
        return planned
    private = any(line.private for line in found.lines)
    return replace(
        planned,
        candidate_hour=None if private else found.monthly / planned.hours_per_month,
        candidate_per_million_tokens=found.promoted.usd_per_million_tokens,
    )


def _planned(report: Report, model: ModelCost) -> PlannedCost:
    assumptions, bill = model.assumptions, report.bill
    capacity = assumptions.capacity
    hours = assumptions.calendar.hours_per_month
    private = any(line.private for line in report.infrastructure.lines)
    hosted = sorted(
        (price for price in assumptions.hosted if price.decides),
        key=assumptions.usd_by_api,
    )
    return PlannedCost(
        monthly=model.total,
        per_million_tokens=model.usd_per_million_tokens,
        tokens_per_day=assumptions.load.tokens_per_day,
        busy_share=model.busy_share,
        mean_nodes=model.mean_nodes,
        replica_tokens_per_second=capacity.total_tokens_per_second,
        replica_tokens_low=None
        if capacity.is_unknown
        else capacity.total_tokens_per_second * (1 - capacity.error_percent / 100),
        full_requests=capacity.concurrent_requests,
        measured_by=_measured_by(capacity),
        replicas_per_node=assumptions.fleet.replicas_per_node,
        fixed_nodes=None if assumptions.fleet.fixed_nodes is None else model.mean_nodes,
        fixed_hour=None if private else (model.fixed + model.overflow) / hours,
        node_hour=None if private else bill.node_monthly / hours,
        hours_per_month=hours,
        overflow_share=assumptions.simulated.totals.overflow_share,
        overflow_monthly=model.overflow,
        budget=None,
        apis=(
            _api(assumptions, assumptions.api_in_use, same_model=False),
            *(_api(assumptions, price, same_model=True) for price in hosted),
        ),
    )


def _measured_by(capacity: ReplicaCapacity) -> str:
    if capacity.method != "own-measurement":
        return ""
    return capacity.record or "the stack's setting"


def _api(assumptions: Assumptions, price: ApiPrice, *, same_model: bool) -> PlannedApi:
    tokens = assumptions.load.tokens_per_request
    return PlannedApi(
        reference=price.reference,
        same_model=same_model,
        per_million_tokens=assumptions.usd_by_api(price) * 10**6 / tokens,
    )
