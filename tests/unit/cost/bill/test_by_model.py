"""Parts of a bill by model, worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.bill import Bill
from breakeven.cost.bill.by_model import ModelCost, model_costs
from breakeven.cost.bill.charge import Charge, Driver, LineItemKind, driven
from breakeven.cost.bill.line_item import LineItem, line_item
from breakeven.cost.fleet.plan import FleetWeek
from tests.unit.cost.builders import WEEK, api, assumptions, engine, price

NEARLY = Decimal("1e-15")
DRIVERS = {
    "busy-nodes": Driver.NODES,
    "root-volumes": Driver.NODES,
    "overflow": Driver.OVERFLOW,
}


def line(kind: LineItemKind, monthly: str, model: str = "") -> LineItem:
    charge = Charge(kind=kind, quantity=Decimal(1), model=model)
    grown = driven(charge, DRIVERS.get(kind, Driver.NOTHING), Decimal(1))
    return line_item(grown, price(monthly, "month"))


def bill_of(lines: tuple[LineItem, ...], mean_nodes: float, reserve: str = "0.1") -> Bill:
    people = [line("engineer", "1000")]
    return Bill.of(lines, people, contingency_share=Decimal(reserve), mean_nodes=mean_nodes)


def week(mean_nodes: float, busy_share: float = 0.25) -> FleetWeek:
    return replace(WEEK, mean_nodes=mean_nodes, busy_share=busy_share)


def two(**of_each: object) -> Assumptions:
    first, second = (
        assumptions(engine=engine(name), instance=name, **of_each) for name in ("one", "two")
    )
    return replace(first, others=(second,))


LINES = (
    line("busy-nodes", "300", "one"),
    line("busy-nodes", "700", "two"),
    line("root-volumes", "200", "two"),
    line("volume", "20", "one"),
    line("volume", "40", "two"),
    line("overflow", "50", "two"),
    line("control-plane", "100"),
)
"""Four nodes, one of them of the first model. With 1,000 for people and a reserve of a tenth a node
costs 330, what is neither of a node nor of overflow 1,276, and everything 2,646."""


def parted() -> tuple[ModelCost, ModelCost]:
    one, other = model_costs(two(), (week(1.0), week(3.0)), LINES, bill_of(LINES, 4.0))
    return one, other


def test_a_model_s_own_part_is_its_nodes_its_objects_and_its_overflow() -> None:
    one, other = parted()
    assert (one.mean_nodes, other.mean_nodes) == (1.0, 3.0)
    assert one.overflow == 0
    assert other.overflow == 50
    assert one.own == 20 * Decimal("1.1") + 330
    assert other.own == 40 * Decimal("1.1") + 3 * 330 + 50


def test_what_all_models_share_is_parted_in_proportion_to_their_own_parts() -> None:
    one, other = parted()
    assert bill_of(LINES, 4.0).total == 2646
    shared = Decimal(1276) - 22 - 44
    for cost, own, objects in ((one, 352, 22), (other, 1084, 44)):
        part = shared * own / (352 + 1084)
        assert abs(cost.total - (own + part)) < NEARLY
        assert abs(cost.fixed - (objects + part)) < NEARLY


def test_parts_add_up_to_a_bill_whose_reserve_was_rounded_to_a_cent() -> None:
    lines = (*LINES, line("volume", "0.07", "one"))
    bill = bill_of(lines, 4.0)
    costs = model_costs(two(), (week(1.0), week(3.0)), lines, bill)
    assert bill.total != (bill.total - 50 - bill.contingency) * Decimal("1.1") + 50
    assert abs(sum(cost.total for cost in costs) - bill.total) < NEARLY


def test_models_that_have_nothing_of_their_own_part_the_rest_evenly() -> None:
    lines = (line("control-plane", "100"),)
    costs = model_costs(two(), (week(0.0), week(0.0)), lines, bill_of(lines, 0.0))
    for cost in costs:
        assert cost.own == 0
        assert cost.fixed == cost.total == 605
        assert cost.busy_share == 0


def test_a_bill_of_nothing_is_parted_into_nothing() -> None:
    nothing = replace(bill_of((), 0.0), staffing_monthly=Decimal(0))
    costs = model_costs(two(), (week(0.0), week(0.0)), (), nothing)
    assert [cost.total for cost in costs] == [0, 0]


def test_a_model_alone_has_all_of_the_bill() -> None:
    lines = tuple(replace(each, model="") for each in LINES)
    bill = bill_of(lines, 4.0)
    [cost] = model_costs(assumptions(engine=engine("one")), (week(4.0),), lines, bill)
    assert cost.total == bill.total
    assert cost.fixed == bill.without_nodes_monthly
    assert cost.overflow == 50
    assert cost.own == 4 * 330 + 50


def pool_of_five(highest: int, gpus: int, replicas_per_node: int) -> Assumptions:
    base = assumptions()
    fleet = replace(
        base.fleet,
        fixed_nodes=5,
        highest=highest,
        gpus_per_node=gpus,
        replicas_per_node=replicas_per_node,
    )
    return replace(base, fleet=fleet)


def test_nodes_of_a_fixed_pool_are_parted_by_the_gpus_that_replicas_may_take() -> None:
    # Six replicas of two GPUs beside three of one: 12 and 3 of 15.
    first = replace(pool_of_five(6, 8, 4), engine=engine("one"), instance="one")
    second = replace(pool_of_five(3, 8, 8), engine=engine("two"), instance="two")
    both = replace(first, others=(second,))
    costs = model_costs(both, (week(5.0), week(5.0, 0.1)), LINES, bill_of(LINES, 5.0))
    assert [cost.mean_nodes for cost in costs] == pytest.approx([4.0, 1.0])
    # What was done on a share of five nodes is done on four, and on one.
    assert [cost.busy_share for cost in costs] == pytest.approx([0.25 * 5 / 4, 0.1 * 5])


def test_no_more_is_worked_than_the_nodes_can() -> None:
    first = replace(pool_of_five(1, 8, 8), engine=engine("one"), instance="one")
    second = replace(pool_of_five(9, 8, 8), engine=engine("two"), instance="two")
    both = replace(first, others=(second,))
    costs = model_costs(both, (week(5.0), week(5.0)), LINES, bill_of(LINES, 5.0))
    assert costs[0].busy_share == 1.0


def test_a_pool_of_one_model_is_its_own() -> None:
    [cost] = model_costs(pool_of_five(1, 8, 4), (week(5.0),), LINES, bill_of(LINES, 5.0))
    assert (cost.mean_nodes, cost.busy_share) == (5.0, 0.25)


def test_tokens_that_are_not_served_are_not_paid_for_and_those_of_the_api_are_not_own() -> None:
    some = replace(week(4.0), unserved_share=0.2, overflow_share=0.25)
    [cost] = model_costs(assumptions(), (some,), LINES, bill_of(LINES, 4.0))
    assert cost.served_tokens == 2_400_000_000  # of 3,000 million
    assert cost.own_tokens == 1_800_000_000
    assert cost.usd_per_million_tokens == cost.total / 2400


@pytest.mark.parametrize(("in_use", "cheapest"), [("1", 1500), ("0.4", 1200)])
def test_the_cheapest_api_is_the_one_in_use_or_the_cheapest_that_has_the_model(
    in_use: str, cheapest: int
) -> None:
    hosted = (api("h/dear", "2"), api("h/cheap", "0.5"), api("h/other", "0.7"))
    base = assumptions(api_in_use=api("a/b", in_use), hosted=hosted)
    [cost] = model_costs(base, (week(4.0),), LINES, bill_of(LINES, 4.0))
    assert cost.hosted == hosted[1]
    assert cost.hosted_monthly == 1500
    assert cost.cheapest_api == cheapest


def test_where_nobody_has_the_model_the_api_in_use_is_all_there_is() -> None:
    [cost] = model_costs(assumptions(hosted=()), (week(4.0),), LINES, bill_of(LINES, 4.0))
    assert cost.hosted is None
    assert cost.hosted_monthly is None
    assert cost.cheapest_api == cost.api_monthly == 3000
