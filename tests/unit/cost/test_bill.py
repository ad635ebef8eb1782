"""The sums of the bill are those of the report."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from components.cost.bill import api_monthly, bill_of, charged
from components.cost.estimate import estimate
from components.cost.load import published_shape
from components.cost.quantities import Registered
from tests.unit.cost.builders import assumptions, capacity, pool, volume
from tests.unit.cost.strategies import fleets

LEDGER = (pool(), volume())


@settings(max_examples=30)
@given(fleets(), st.integers(10**6, 10**10), st.floats(0.2, 50.0), st.sampled_from(["0", "0.07"]))
def test_it_has_every_cent_of_the_report_and_its_parts_are_the_whole(
    fleet: object, tokens: int, served: float, reserve: str
) -> None:
    base = assumptions(fleet=fleet, capacity=capacity(served))
    shape, source = published_shape()
    load = replace(base.load, tokens_per_day=tokens, shape=shape, shape_source=source)
    people = replace(base.people, contingency_share=Decimal(reserve))
    varied = replace(base, load=load, people=people)
    report = estimate(LEDGER, varied)
    bill = bill_of(LEDGER, report.week, varied)
    assert bill.total == report.total
    split = bill.fixed_monthly + bill.node_monthly * bill.mean_nodes
    assert abs(split - report.total) <= Decimal("0.01")  # but for the rounding of the reserve


def test_the_same_traffic_by_api_is_what_the_report_has() -> None:
    base = assumptions()
    assert api_monthly(base.api_in_use, base) == estimate(LEDGER, base).api.monthly


def test_what_has_no_price_is_named_and_left_out() -> None:
    unknown = Registered("thing", "aws:ec2/thing:Thing", {})
    claim = volume(storage_class="nowhere")
    namespace = Registered("free", "kubernetes:core/v1:Namespace", {})
    kept, missing = charged((pool(), unknown, claim, namespace), assumptions())
    assert kept == (pool(),)
    assert missing == ("thing", "weights")
