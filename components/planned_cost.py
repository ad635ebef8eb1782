"""Takes from an estimate the figures that monitoring shows beside what happens."""

from __future__ import annotations

from components.cost.report import ApiCost, Report
from components.monitoring.planned import PlannedApi, PlannedCost


def planned_cost(report: Report) -> PlannedCost:
    """Returns the figures of an estimate that monitoring compares with what happens."""
    assumptions, bill = report.assumptions, report.bill
    hours = assumptions.calendar.hours_per_month
    private = any(line.private for line in report.machines.lines)
    return PlannedCost(
        monthly=report.total,
        per_million_tokens=report.usd_per_million_tokens,
        tokens_per_day=assumptions.load.tokens_per_day,
        busy_share=report.week.busy_share,
        mean_nodes=report.week.mean_nodes,
        replica_tokens_per_second=assumptions.capacity.total_tokens_per_second,
        replicas_per_node=assumptions.fleet.replicas_per_node,
        fixed_nodes=assumptions.fleet.fixed_nodes,
        fixed_hour=None if private else bill.fixed_monthly / hours,
        node_hour=None if private else bill.node_monthly / hours,
        hours_per_month=hours,
        budget=assumptions.budget_per_month,
        apis=tuple(_planned_api(cost) for cost in (report.api, *report.hosted)),
    )


def _planned_api(cost: ApiCost) -> PlannedApi:
    return PlannedApi(
        reference=cost.price.reference,
        same_model=cost.same_model,
        per_million_tokens=cost.price.usd_per_million_tokens,
    )
