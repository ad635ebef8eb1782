"""What an API answers again is part of what self-hosting costs, at any volume."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.answers.escalation import Escalation
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.estimate import estimate
from breakeven.cost.report import Report
from tests.unit.cost.builders import api, assumptions, pool, volume

LEDGER = (pool(), volume())
AGAIN = api("test/better", "10")


def stack(percent: int) -> Assumptions:
    return assumptions(escalation=Escalation(Decimal(percent) / 100, AGAIN))


def report_with(percent: int) -> Report:
    return estimate(LEDGER, stack(percent))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 100))
def test_it_costs_its_share_of_all_requests_and_no_contingency(percent: int) -> None:
    plain, again = estimate(LEDGER, assumptions()), report_with(percent)
    load, calendar = again.assumptions.load, again.assumptions.calendar
    requests = load.requests_per_day * calendar.days_per_month
    expected = requests * AGAIN.usd_per_request * percent / 100
    assert again.bill.escalation_monthly == pytest.approx(expected, abs=Decimal("0.01"))
    assert again.total - plain.total == again.bill.escalation_monthly
    assert again.bill.contingency == plain.bill.contingency


def test_it_moves_break_even_up_and_in_the_end_away() -> None:
    volumes = [report_with(percent).break_even[0].loaded.first_volume for percent in (0, 2, 100)]
    assert volumes[0] is not None
    assert volumes[1] is not None
    assert volumes[0] < volumes[1]
    assert volumes[2] is None


def test_the_staircase_at_the_plan_costs_what_the_estimate_does() -> None:
    plain, again = estimate(LEDGER, assumptions()), report_with(10)
    per_token = again.bill.escalation_monthly / again.assumptions.tokens_per_day
    before, after = (
        report.bill.staircase(report.assumptions.load, report.assumptions.fleet, 1.0).token_monthly
        for report in (plain, again)
    )
    assert after - before == pytest.approx(per_token, rel=Decimal("1e-5"))


def test_a_model_s_part_of_the_bill_contains_it() -> None:
    again = report_with(10)
    [model] = again.models
    assert model.overflow == again.bill.escalation_monthly
    assert model.total == pytest.approx(again.total)
