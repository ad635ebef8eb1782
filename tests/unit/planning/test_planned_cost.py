"""The figures that monitoring takes from an estimate are those of its report."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from breakeven.money import to_cents
from breakeven.planning.offline import estimate_stack
from breakeven.planning.planned_cost import planned_costs
from breakeven.settings.files import stack_names

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize("stack", stack_names())
def test_hours_at_the_mean_of_nodes_add_up_to_the_month(stack: str) -> None:
    report = estimate_stack(stack, TODAY)
    month = Decimal(0)
    for planned in planned_costs(report):
        assert planned.fixed_hour is not None
        assert planned.node_hour is not None
        hour = planned.fixed_hour + planned.node_hour * Decimal(repr(planned.mean_nodes))
        assert abs(hour * planned.hours_per_month - planned.monthly) <= Decimal("0.01")
        month += hour * planned.hours_per_month
    assert abs(to_cents(month) - report.total) <= Decimal("0.01")


@pytest.mark.parametrize("stack", stack_names())
def test_prices_by_api_are_those_of_the_report(stack: str) -> None:
    report = estimate_stack(stack, TODAY)
    days = report.assumptions.calendar.days_per_month
    by_plan = dict.fromkeys(("in use", "cheapest of the same model"), Decimal(0))
    for planned in planned_costs(report):
        in_use, *hosted = (api.per_million_tokens for api in planned.apis)
        assert hosted == sorted(hosted)
        tokens = planned.tokens_per_day * days / 10**6
        by_plan["in use"] += in_use * tokens
        by_plan["cheapest of the same model"] += hosted[0] * tokens if hosted else 0
    assert abs(by_plan["in use"] - report.api.monthly) <= Decimal("0.01")
    compared = report.compared_hosted
    cheapest = 0 if compared is None else compared.monthly
    assert abs(by_plan["cheapest of the same model"] - cheapest) <= Decimal("0.01")


def test_a_private_price_is_never_shown() -> None:
    report = estimate_stack("dev", TODAY)
    [first, *others] = report.infrastructure.lines
    lines = (replace(first, private=True), *others)
    [planned] = planned_costs(
        replace(report, infrastructure=replace(report.infrastructure, lines=lines))
    )
    assert planned.node_hour is None
    assert planned.fixed_hour is None
    assert planned.monthly == report.total
