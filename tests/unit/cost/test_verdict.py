"""The recommendation follows from the figures, and compliance goes before cost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.cost.verdict import Choice, Evidence, Option, decide

EVIDENCE = Evidence(
    data_may_leave=True,
    busy_share=0.3,
    people_share=Decimal("0.4"),
    unserved_share=0.0,
    objective_share=0.99,
    objective_seconds=2.0,
    replicas_needed=3,
    break_even="Break-even in words.",
    error_percent=25,
)


def option(choice: Choice, monthly: int, spread: int = 0) -> Option:
    cost = Decimal(monthly)
    return Option(choice, choice, cost, (cost - spread, cost + spread))


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
    assert "$8,600.00 a month more than hosted" in verdict.reasons[0]


def test_data_that_may_not_leave_costs_nothing_where_the_own_fleet_is_cheapest() -> None:
    verdict = decide(options(1000, 400, 300), replace(EVIDENCE, data_may_leave=False))
    assert "costs nothing extra" in verdict.reasons[0]


def test_an_advantage_within_the_band_of_the_estimate_does_not_buy_machines() -> None:
    verdict = decide(options(110, 105, 100, spread=20), EVIDENCE)
    assert verdict.choice == "hosted"
    assert "measuredOutputTokensPerSecond" in verdict.reasons[0]


def test_an_advantage_beyond_the_band_does() -> None:
    assert decide(options(200, 150, 100, spread=20), EVIDENCE).choice == "self-host"


def test_a_fleet_too_small_for_the_load_is_not_recommended_and_says_what_it_needs() -> None:
    small = replace(EVIDENCE, unserved_share=0.4, replicas_needed=7)
    verdict = decide(options(200, 150, 100), small)
    assert verdict.choice == "hosted"
    assert any("can't serve 40%" in reason and "7 replicas" in reason for reason in verdict.reasons)


def test_late_first_tokens_are_pointed_out_from_the_objective_on() -> None:
    def said(share: float) -> bool:
        verdict = decide(options(200, 150, 100), replace(EVIDENCE, objective_share=share))
        return any(f"Only {share:.0%} of requests" in reason for reason in verdict.reasons)

    assert said(0.94)
    assert not said(0.95)


money = st.integers(min_value=1, max_value=10**6)


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
