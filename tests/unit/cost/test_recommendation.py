"""The recommendation follows from the figures, and compliance goes before cost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.break_even import BreakEven
from breakeven.cost.recommendation import (
    BreakEvenVolume,
    Choice,
    DataStays,
    DependsOnCapacity,
    Evidence,
    HoldsIfSlower,
    Option,
    OwnNodesIdle,
    decide,
)

NEVER = BreakEvenVolume("test/api", BreakEven((), 64, 1e9), 10**6)

EVIDENCE = Evidence(
    data_may_leave=True,
    busy_share=0.3,
    staffing_share=Decimal("0.4"),
    break_even=NEVER,
    error_percent=25,
)


def option(choice: Choice, monthly: int, spread: int = 0) -> Option:
    cost = Decimal(monthly)
    return Option(choice, cost, cost + spread, choice)


def options(api: int, hosted: int, own: int, spread: int = 0) -> list[Option]:
    return [option("api", api), option("hosted", hosted), option("self-host", own, spread)]


@pytest.mark.parametrize(
    ("costs", "expected"),
    [((1, 2, 3), "api"), ((2, 1, 3), "hosted"), ((3, 2, 1), "self-host")],
)
def test_the_cheapest_option_is_recommended(costs: tuple[int, int, int], expected: str) -> None:
    assert decide(options(*costs), EVIDENCE).choice == expected


def test_the_cheapest_split_is_recommended() -> None:
    verdict = decide([*options(10, 9, 8), option("hybrid", 5)], EVIDENCE)
    assert verdict.choice == "hybrid"
    assert verdict.monthly == 5


def test_data_that_may_not_leave_stays_and_the_price_of_that_is_named() -> None:
    inside = replace(EVIDENCE, data_may_leave=False)
    verdict = decide([*options(1000, 400, 9000), option("hybrid", 300)], inside)
    assert verdict.choice == "self-host"
    assert verdict.reasons[0] == DataStays(Decimal(8600), "hosted")


def test_data_that_may_not_leave_costs_nothing_where_the_own_fleet_is_cheapest() -> None:
    verdict = decide(options(1000, 400, 300), replace(EVIDENCE, data_may_leave=False))
    assert verdict.reasons[0] == DataStays(Decimal(-100), "hosted")


def test_an_advantage_within_the_band_of_the_estimate_does_not_buy_machines() -> None:
    verdict = decide(options(110, 105, 100, spread=20), EVIDENCE)
    assert verdict.choice == "hosted"
    assert verdict.reasons[0] == DependsOnCapacity(option("self-host", 100, 20), 25)


def test_an_advantage_beyond_the_band_does() -> None:
    assert decide(options(200, 150, 100, spread=20), EVIDENCE).choice == "self-host"


def test_own_nodes_are_compared_with_the_cheapest_api_and_an_api_with_own_nodes() -> None:
    verdict = decide(options(1000, 2000, 3500), EVIDENCE)
    assert (verdict.chosen.choice, verdict.compared.choice) == ("api", "self-host")
    verdict = decide(options(1000, 400, 300), EVIDENCE)
    assert (verdict.chosen.choice, verdict.compared.choice) == ("self-host", "hosted")


def test_an_api_is_recommended_with_what_own_nodes_would_have_been() -> None:
    assert decide(options(10, 20, 30), EVIDENCE).reasons == (
        NEVER,
        OwnNodesIdle(0.7, Decimal("0.4")),
    )


def test_self_hosting_is_recommended_with_how_sure_it_is() -> None:
    assert decide(options(200, 150, 100, spread=20), EVIDENCE).reasons == (
        HoldsIfSlower(option("self-host", 100, 20), 25),
        NEVER,
    )


def test_a_band_that_reaches_the_api_says_which_figure_would_decide() -> None:
    assert decide(options(120, 119, 100, spread=20), EVIDENCE).choice == "hosted"
    assert decide(options(130, 120, 100, spread=20), EVIDENCE).choice == "self-host"


money = st.integers(min_value=1, max_value=10**6)
spreads = st.integers(min_value=0, max_value=1000)


@given(money, money, money, money, st.integers(min_value=0, max_value=1000))
def test_nothing_recommended_is_dearer_than_the_cheapest_api(
    api: int, hosted: int, own: int, hybrid: int, spread: int
) -> None:
    every = [*options(api, hosted, own, spread), option("hybrid", hybrid, spread)]
    assert decide(every, EVIDENCE).monthly <= min(api, hosted)


@given(money, money, money, st.integers(min_value=1, max_value=100))
def test_the_choice_does_not_depend_on_the_currency(
    api: int, hosted: int, own: int, factor: int
) -> None:
    scaled = options(api * factor, hosted * factor, own * factor)
    assert decide(options(api, hosted, own), EVIDENCE).choice == decide(scaled, EVIDENCE).choice


@given(st.tuples(money, money, money), money, st.tuples(spreads, spreads))
def test_another_option_is_recommended_only_where_two_costs_cross(
    costs: tuple[int, int, int], more: int, band: tuple[int, int]
) -> None:
    """Each cost moves by itself to another one; on the way the choice changes at crossings only."""
    every = [
        option("api", costs[0]),
        option("self-host", costs[1], band[0]),
        option("hybrid", costs[2], band[1]),
    ]
    for number, moved in enumerate(every):
        others = [one for one in every if one is not moved]
        changed = [
            *others,
            option(moved.choice, more, int(moved.monthly_if_slower - moved.monthly)),
        ]
        before, after = decide(every, EVIDENCE), decide(changed, EVIDENCE)
        judged_before = {one.choice: one.monthly_if_slower for one in every}
        judged_after = {one.choice: one.monthly_if_slower for one in changed}
        if before.choice != after.choice:
            assert judged_before[before.choice] <= judged_before[after.choice], number
            assert judged_after[after.choice] <= judged_after[before.choice], number


def test_a_split_that_is_surer_is_recommended_before_one_that_is_cheaper_by_plan() -> None:
    own, split = option("self-host", 95, 25), option("hybrid", 97, 2)
    verdict = decide([option("api", 100), own, split], EVIDENCE)
    assert verdict.chosen is split
    assert verdict.reasons[0] == HoldsIfSlower(split, 25)
