"""The figures that monitoring takes from an estimate are those of its report."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from components.cost.lines import to_cents
from components.offline import estimate_stack
from components.planned_cost import planned_cost
from components.project import stack_names

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize("stack", stack_names())
def test_hours_at_the_mean_of_nodes_add_up_to_the_month(stack: str) -> None:
    report = estimate_stack(stack, TODAY)
    planned = planned_cost(report)
    assert planned.fixed_hour is not None
    assert planned.node_hour is not None
    hour = planned.fixed_hour + planned.node_hour * Decimal(repr(planned.mean_nodes))
    assert abs(to_cents(hour * planned.hours_per_month) - report.total) <= Decimal("0.01")


@pytest.mark.parametrize("stack", stack_names())
def test_prices_by_api_are_those_of_the_report(stack: str) -> None:
    report = estimate_stack(stack, TODAY)
    apis = planned_cost(report).apis
    costs = (report.api, *report.hosted)
    assert [api.reference for api in apis] == [cost.price.reference for cost in costs]
    for api, cost in zip(apis, costs, strict=True):
        by_plan = api.per_million_tokens * report.tokens_per_month / 10**6
        assert abs(by_plan - cost.monthly) <= Decimal("0.01")


def test_a_private_price_is_told_to_nobody() -> None:
    report = estimate_stack("dev", TODAY)
    [first, *others] = report.machines.lines
    lines = (replace(first, private=True), *others)
    planned = planned_cost(replace(report, machines=replace(report.machines, lines=lines)))
    assert planned.node_hour is None
    assert planned.fixed_hour is None
    assert planned.monthly == report.total
