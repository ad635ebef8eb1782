"""The sums of the bill are those of the report."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.api_cost import api_monthly
from breakeven.cost.bill.activity import activities_of
from breakeven.cost.bill.bill import Bill, Rate, bill_of
from breakeven.cost.bill.charge import ROOT_VOLUME, Driver
from breakeven.cost.bill.pricing import charged, price_infrastructure
from breakeven.cost.bill.registered import GPU_POOL, Registered
from breakeven.cost.demand.load import published_shape
from breakeven.cost.estimate import estimate
from tests.unit.cost.builders import WEEK, assumptions, capacity, pool, volume
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
    people = replace(base.staffing, contingency_share=Decimal(reserve))
    varied = replace(base, load=load, staffing=people)
    report = estimate(LEDGER, varied)
    bill = bill_of(LEDGER, report.week, varied)
    assert bill.total == report.total
    split = bill.fixed_monthly + bill.node_monthly * bill.mean_nodes
    assert abs(split - report.total) <= Decimal("0.01")  # but for the rounding of the reserve


def test_the_same_traffic_by_api_is_what_the_report_has() -> None:
    base = assumptions()
    assert api_monthly(base.api_in_use, base) == estimate(LEDGER, base).api.monthly


def test_what_is_never_charged_for_is_left_out_and_the_bill_stays_the_same() -> None:
    unknown = Registered("thing", "aws:ec2/thing:Thing", {})
    namespace = Registered("free", "kubernetes:core/v1:Namespace", {})
    ledger = (pool(), unknown, volume(), namespace)
    assert charged(ledger) == (pool(), volume())
    base = assumptions()
    assert bill_of(charged(ledger), WEEK, base) == bill_of(ledger, WEEK, base)


def test_nodes_are_paid_where_the_price_of_their_root_volume_is_missing() -> None:
    started = Registered("pool", GPU_POOL, {"kind": "karpenter-azure", "nodeVolumeGigabytes": 100})
    base = assumptions(cloud="azure", region="eastus")
    bill = bill_of(charged((started,)), WEEK, base)
    assert bill.nodes_monthly == 2 * 720  # two nodes at a dollar an hour
    [missing] = price_infrastructure((started,), WEEK, base).not_priced
    assert (missing.name, missing.attached) == ("pool", ROOT_VOLUME)


def test_overflow_is_paid_and_is_neither_a_fixed_cost_nor_part_of_the_reserve() -> None:
    people = replace(assumptions().staffing, contingency_share=Decimal("0.1"))
    base = assumptions(staffing=people)
    without = bill_of(LEDGER, WEEK, base)
    bill = bill_of(LEDGER, replace(WEEK, overflow_share=0.25), base)
    assert bill.overflow_monthly == 750  # a quarter of 100 million tokens a day at a dollar
    assert bill.total == without.total + 750
    assert bill.fixed_monthly == without.fixed_monthly
    same = activities_of(base, WEEK, ())
    assert bill.at(same) - without.at(same) == 750
    staircases = [
        one.staircase(base.load, base.fleet, 1.0).steps(4).monthly.tolist()
        for one in (bill, without)
    ]
    assert staircases[0] == staircases[1]


def test_a_stack_that_never_pays_a_node_has_a_bill() -> None:
    week = replace(WEEK, mean_nodes=0.0)
    bill = bill_of(LEDGER, week, assumptions())
    assert bill.node_monthly == 0
    assert bill.at(activities_of(assumptions(), week, ())) == bill.total
    nothing = replace(bill, other_infrastructure_monthly=Decimal(0), staffing_monthly=Decimal(0))
    assert nothing.total == 0
    assert nothing.staffing_share == 0


BILL = Bill(
    nodes_monthly=Decimal(2000),
    other_infrastructure_monthly=Decimal(300),
    staffing_monthly=Decimal(1700),
    overflow_monthly=Decimal(600),
    contingency_share=Decimal("0.25"),
    mean_nodes=Decimal(4),
)
"""Four nodes on average, a quarter in reserve, and an API to compare with."""


def test_people_are_paid_with_their_part_of_the_reserve() -> None:
    assert BILL.total == 5600
    assert BILL.staffing_share == Decimal(2125) / 5600


def test_without_people_and_reserve_machines_and_overflow_stay() -> None:
    assert BILL.infrastructure_only().total == 2000 + 300 + 600
    assert BILL.infrastructure_only().staffing_share == 0


def test_each_node_more_costs_its_part_and_all_else_stays() -> None:
    def with_nodes(nodes: float) -> Decimal:
        week = replace(WEEK, mean_nodes=nodes)
        return BILL.at(activities_of(assumptions(), week, ()))

    assert BILL.node_monthly == 625
    assert with_nodes(4.0) == BILL.total
    assert with_nodes(6.0) == BILL.total + 2 * 625
    assert with_nodes(0.0) == (300 + 1700) * Decimal("1.25") + 600


GROWING = replace(
    BILL,
    rates=(
        Rate("", Driver.NODE_STARTS, Decimal(40), Decimal(80)),
        Rate("", Driver.TOKENS, Decimal("0.000001"), Decimal(100)),
        Rate("other", Driver.TOKENS, Decimal(5), Decimal(20)),
    ),
)
"""Of 300 for other infrastructure 200 grow: with two starts an hour, and with tokens."""


def test_what_grows_with_the_load_is_no_fixed_cost() -> None:
    assert GROWING.total == BILL.total
    assert GROWING.without_nodes_monthly == BILL.fixed_monthly
    assert GROWING.fixed_monthly == BILL.fixed_monthly - 200 * Decimal("1.25")
    assert GROWING.usd_for_each(Driver.NODE_STARTS) == 50
    assert GROWING.usd_for_each(Driver.TOKENS) == Decimal("0.00000125")
    assert GROWING.usd_for_each(Driver.TOKENS, "other") == Decimal("6.25")
    assert GROWING.usd_for_each(Driver.REPLICA_STARTS) == 0
    of_load = GROWING.without_fixed_costs()
    assert of_load.fixed_monthly == 0
    assert of_load.node_monthly == GROWING.node_monthly


def test_the_staircase_has_what_starts_tokens_and_work_cost() -> None:
    base = assumptions()
    fleet = replace(base.fleet, replicas_per_node=2, gpus_per_node=8)
    work = Rate("", Driver.WORK, Decimal(864), Decimal(0))
    bill = replace(GROWING, contingency_share=Decimal(0), rates=(*GROWING.rates, work))
    staircase = bill.staircase(base.load, fleet, 0.5)
    assert (staircase.node_start_monthly, staircase.replica_start_monthly) == (
        Decimal(40),
        Decimal(0),
    )
    # 1,000 tokens a request: a token a day is 1 / 86,400,000 requests a second, of which a replica
    # of four GPUs serves a half.
    assert staircase.token_monthly == pytest.approx(
        Decimal("0.000001") + Decimal(864) * 8 / 86_400_000
    )


@pytest.mark.parametrize(
    ("autoscaling", "fixed_nodes", "follow"),
    [(True, None, True), (True, 5, False), (False, None, False)],
)
def test_nodes_follow_the_load_where_something_scales_and_nodes_are_not_one_s_own(
    autoscaling: bool, fixed_nodes: int | None, follow: bool
) -> None:
    base = assumptions()
    fleet = replace(base.fleet, autoscaling=autoscaling, fixed_nodes=fixed_nodes)
    assert BILL.staircase(base.load, fleet, 3.0).nodes_follow_load is follow


def test_a_node_of_the_staircase_serves_what_its_replicas_do_and_starts_as_the_fleet_s_do() -> None:
    base = assumptions()
    fleet = replace(base.fleet, replicas_per_node=4, start_seconds=500, scale_down_seconds=400)
    staircase = BILL.staircase(base.load, fleet, 3.0)
    assert staircase.requests_per_second_per_node == 12
    assert staircase.hours_per_start == 0.25
