"""An availability objective says what it costs; it never changes the bill or the advice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.availability import Availability, AvailabilityOption
from breakeven.cost.estimate import estimate
from breakeven.cost.objective import AvailabilityObjective
from breakeven.cost.report import Report
from breakeven.reports.availability import availability as table
from breakeven.reports.document.writing import as_output, report_document
from breakeven.reports.formatting import usd
from breakeven.reports.tables import findings
from tests.unit.cost.bill.test_priced_ledger import OWNED
from tests.unit.cost.builders import assumptions, pool, volume

LEDGER = (pool(), volume())
OBJECTIVE = AvailabilityObjective(
    target=0.999, gpu_failures_per_year=1.0, repair_hours=87.6, interruptions_per_year=0.0
)


def reported(**changes: object) -> Report:
    return estimate(LEDGER, assumptions(availability=OBJECTIVE, **changes))


def of(report: Report) -> tuple[Availability, dict[str, AvailabilityOption]]:
    assert report.availability is not None
    return report.availability, {one.kind: one for one in report.availability.options}


def test_a_fixed_pool_without_a_free_node_waits_for_the_repair() -> None:
    fleet = replace(assumptions().fleet, autoscaling=False, lowest=1, highest=1, fixed_nodes=1)
    found, options = of(reported(fleet=fleet))
    # One failure a year of 87.6 hours: a hundredth of the year.
    assert found.recovery_hours == 87.6
    assert found.expected == pytest.approx(0.99)
    assert options["spare-replica"].expected == pytest.approx(1 - 0.01**2)
    with_free = replace(fleet, fixed_nodes=2)
    found, options = of(reported(fleet=with_free))
    assert found.recovery_hours == pytest.approx(300 / 3600)
    assert options["spare-replica"].monthly == 0


def test_a_spare_replica_costs_a_node_and_a_second_zone_what_is_missing_to_two() -> None:
    report = reported()
    _, options = of(report)
    assert options["spare-replica"].monthly == report.bill.node_monthly
    assert options["second-zone"].monthly == report.bill.node_monthly
    two = replace(report.assumptions.fleet, lowest=2)
    _, options = of(reported(fleet=two))
    assert options["second-zone"].monthly == 0
    assert "second-zone" not in of(reported(cloud="none"))[1]


def test_the_fallback_api_is_paid_during_outages_and_only_where_prompts_may_leave() -> None:
    report = reported(node=OWNED)  # whose repair takes long
    found, options = of(report)
    assert found.expected == pytest.approx(0.99)
    cheapest = min(cost.monthly for cost in (report.api, *report.hosted))
    assert options["fallback-api"].monthly == pytest.approx(cheapest / 100)
    assert "fallback-api" not in of(reported(data_may_leave=False))[1]


def test_on_call_that_nobody_stated_has_no_price() -> None:
    assert of(reported())[1]["on-call"].monthly is None
    staffing = replace(assumptions().staffing, on_call_per_month=Decimal(1500))
    assert of(reported(staffing=staffing))[1]["on-call"].monthly == 0


@settings(max_examples=30)
@given(st.floats(0.5, 0.999999), st.floats(0.0, 20.0), st.floats(0.0, 500.0), st.integers(1, 5))
def test_more_nodes_are_never_less_available_and_the_bill_stays(
    target: float, failures: float, repair: float, lowest: int
) -> None:
    objective = AvailabilityObjective(
        target=target,
        gpu_failures_per_year=failures,
        repair_hours=repair,
        interruptions_per_year=0.0,
    )
    fleet = replace(assumptions().fleet, lowest=lowest)
    without = estimate(LEDGER, assumptions(fleet=fleet))
    report = estimate(LEDGER, assumptions(fleet=fleet, availability=objective))
    assert (report.total, report.verdict) == (without.total, without.verdict)
    found, options = of(report)
    expected, spare = found.expected, options["spare-replica"].expected
    assert expected is not None
    assert spare is not None
    assert 0 <= expected <= spare <= 1
    shown = table(report)
    assert ("meets" in shown.answer) == (expected >= target)
    assert report_document(report).availability is not None


def test_a_missed_objective_is_a_finding_with_what_would_meet_it() -> None:
    fleet = replace(assumptions().fleet, autoscaling=False, lowest=1, highest=1, fixed_nodes=1)
    report = reported(fleet=fleet)
    [finding] = findings(report)
    assert "misses its availability objective of 99.9%: 99% is expected" in finding
    assert f"at most {usd(report.bill.node_monthly)}/month" in finding
    assert not findings(reported())


def test_without_an_objective_nothing_is_shown() -> None:
    report = estimate(LEDGER, assumptions())
    assert report.availability is None
    assert as_output(report)["availability"] is None
    with pytest.raises(ValueError, match="no availability objective"):
        table(report)
