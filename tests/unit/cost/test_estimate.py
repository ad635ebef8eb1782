"""The parts of an estimate agree with each other."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.staffing import Staffing
from breakeven.cost.demand.load import published_shape
from breakeven.cost.estimate import estimate
from breakeven.cost.fleet.plan import Fleet
from breakeven.cost.recommendation import BreakEvenVolume
from breakeven.cost.report import Report
from breakeven.reports.document.writing import as_output
from tests.unit.cost.builders import api, assumptions, capacity, node, pool
from tests.unit.cost.builders import volume as claim

LEDGER = (pool(), claim())


def scaled(tokens: int, **changes: object) -> Assumptions:
    base = assumptions(**changes)
    return replace(base, load=replace(base.load, tokens_per_day=tokens))


def with_people(base: Assumptions, **changes: Decimal) -> Assumptions:
    return replace(base, staffing=replace(base.staffing, **changes))


def test_the_total_is_machines_people_and_contingency() -> None:
    report = estimate(LEDGER, with_people(assumptions(), contingency_share=Decimal("0.1")))
    assert report.total == (report.infrastructure.monthly + report.bill.staffing_monthly) * Decimal(
        "1.1"
    )


def test_the_same_traffic_by_api_is_requests_times_the_price_of_one() -> None:
    report = estimate(LEDGER, assumptions())
    assert report.api.monthly == 100_000 * 30 * Decimal("0.001")


def test_hosted_offers_are_sorted_by_cost_and_marked_as_the_same_model() -> None:
    offers = (api("b/dear", "3"), api("a/cheap", "0.1"))
    report = estimate(LEDGER, assumptions(hosted=offers))
    assert [cost.price.reference for cost in report.hosted] == ["a/cheap", "b/dear"]
    assert all(cost.same_model for cost in report.hosted)
    assert not report.api.same_model


def test_without_an_offer_of_the_same_model_only_the_api_in_use_is_compared() -> None:
    report = estimate(LEDGER, assumptions(hosted=()))
    assert [row.api.price.reference for row in report.break_even] == ["test/api"]
    assert report.verdict.choice in ("api", "self-host", "hybrid")


@settings(deadline=None, max_examples=40)
@given(
    st.integers(min_value=10**6, max_value=10**9),
    st.booleans(),
    st.sampled_from([1, 4]),
    st.booleans(),
)
def test_the_staircase_passes_through_the_estimate(
    tokens: int, shaped: bool, per_node: int, rented: bool
) -> None:
    """At the planned volume the curve of break-even has the cost that the table shows."""
    fleet = Fleet(
        lowest=1,
        highest=256,
        autoscaling=rented,
        replicas_per_node=per_node,
        gpus_per_node=per_node,
        fixed_nodes=None if rented else 64,
        start_seconds=300,
        scale_down_seconds=300,
    )
    base = scaled(tokens, fleet=fleet, capacity=capacity(5.0))
    if shaped:
        shape, source = published_shape()
        base = replace(base, load=replace(base.load, shape=shape, shape_source=source))
    report = estimate(LEDGER, base)
    # An API that costs exactly the total at this volume breaks even at this volume.
    exact = report.total / (report.assumptions.tokens_per_month / 10**6)
    row = estimate(LEDGER, replace(base, api_in_use=api("test/exact", str(exact)))).break_even[0]
    edges = [
        edge
        for part in row.loaded.cheaper
        for edge in (part.from_tokens_per_day, part.to_tokens_per_day)
        if edge is not None
    ]
    assert any(edge == pytest.approx(tokens, rel=1e-6) for edge in edges)


def test_people_move_break_even_up_and_bare_machines_pay_earlier() -> None:
    [row, _] = estimate(LEDGER, assumptions()).break_even
    assert row.infrastructure_only.cheaper[0].from_tokens_per_day < (
        row.loaded.cheaper[0].from_tokens_per_day
    )


def test_a_slower_replica_never_moves_break_even_down() -> None:
    [row, _] = estimate(LEDGER, assumptions()).break_even
    low, high = row.loaded_low, row.loaded_high
    assert not high.never
    assert low.never or (low.cheaper[0].from_tokens_per_day >= high.cheaper[0].from_tokens_per_day)


def test_a_node_too_dear_for_its_capacity_never_pays() -> None:
    report = estimate(LEDGER, assumptions(node=node("40")))
    assert all(row.loaded.never for row in report.break_even)
    assert report.verdict.choice == "hosted"
    [volume] = [one for one in report.verdict.reasons if isinstance(one, BreakEvenVolume)]
    assert volume.result.never


def test_a_bursty_load_is_split_where_the_base_pays_and_the_peak_does_not() -> None:
    shape = (3.0, *(0.5,) * 4) * 24
    mean = sum(shape) / len(shape)
    base = assumptions(
        node=node("2"),
        hosted=(api("test/hosted", "2"),),
        capacity=capacity(1.0, error_percent=5),
        staffing=Staffing(
            engineer_salary=Decimal(0),
            engineer_share=Decimal(0),
            on_call_per_month=Decimal(0),
            contingency_share=Decimal(0),
        ),
    )
    load = replace(base.load, shape=tuple(rate / mean for rate in shape))
    fixed = replace(base.fleet, autoscaling=False)
    report = estimate(LEDGER, replace(base, load=load, fleet=fixed))
    assert report.hybrid is not None
    assert 0 < report.hybrid.own_share < 1
    assert report.hybrid.monthly < min(report.total, report.hosted[0].monthly, report.api.monthly)


def test_the_output_is_plain_and_its_money_are_decimal_strings() -> None:
    report: Report = estimate(LEDGER, assumptions())
    output = json.loads(json.dumps(as_output(report)))
    assert output["selfHosted"]["total"] == f"{report.total:.2f}"
    assert output["api"]["monthly"] == "3000.00"
    assert output["recommendation"]["choice"] == report.verdict.choice
