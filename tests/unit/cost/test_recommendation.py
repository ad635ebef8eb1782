"""The recommendation follows from the figures, and compliance goes before cost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.recommendation import Choice, Evidence, Option, decide

EVIDENCE = Evidence(
    data_may_leave=True,
    busy_share=0.3,
    staffing_share=Decimal("0.4"),
    unserved_share=0.0,
    objective_share=0.99,
    objective_seconds=2.0,
    replicas_needed=3,
    break_even="Break-even in words.",
    error_percent=25,
)


def option(choice: Choice, monthly: int, spread: int = 0) -> Option:
    cost = Decimal(monthly)
    return Option(choice, choice, cost, cost + spread)


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


def test_the_summary_names_both_sides_and_how_far_apart_they_are() -> None:
    assert decide(options(1000, 2000, 3500), EVIDENCE).summary == (
        "Stay on the API: api costs $1,000.00 a month, self-host $3,500.00, 3.5 times as much."
    )
    assert decide(options(1000, 400, 300), EVIDENCE).summary == (
        "Self-host: self-host costs $300.00 a month, hosted $400.00, 1.3 times as much."
    )


@pytest.mark.parametrize(
    ("costs", "summary"),
    [
        ((9, 9, 9), "Stay on the API: api costs $9.00 a month, self-host $9.00."),
        ((0, 1, 5), "Stay on the API: api costs $0.00 a month, self-host $5.00."),
    ],
    ids=["they cost the same", "it costs nothing"],
)
def test_no_ratio_is_named_where_there_is_none(costs: tuple[int, int, int], summary: str) -> None:
    assert decide(options(*costs), EVIDENCE).summary == summary


def test_a_dearer_fleet_that_has_to_be_is_not_called_cheaper() -> None:
    verdict = decide(options(10, 20, 30), replace(EVIDENCE, data_may_leave=False))
    assert verdict.summary == "Self-host: self-host costs $30.00 a month, api $10.00."


def test_an_api_is_recommended_with_what_own_nodes_would_have_been() -> None:
    assert decide(options(10, 20, 30), EVIDENCE).reasons == (
        "Break-even in words.",
        "Its own GPUs would be idle 70% of the time, and people are 40% of the self-hosted bill.",
    )


def test_self_hosting_is_recommended_with_how_sure_it_is() -> None:
    assert decide(options(200, 150, 100, spread=20), EVIDENCE).reasons == (
        "It stays cheaper if a replica serves 25% less than estimated ($120.00).",
        "Break-even in words.",
    )


def test_a_band_that_reaches_the_api_says_which_figure_would_decide() -> None:
    assert decide(options(110, 105, 100, spread=20), EVIDENCE).reasons[0] == (
        "Self-host at $100.00 a month would be cheaper, but if a replica serves 25% less it is "
        "$120.00: measure one and set measuredOutputTokensPerSecond."
    )
    assert decide(options(130, 120, 100, spread=20), EVIDENCE).choice == "self-host"


def test_inside_costs_nothing_extra_up_to_the_price_of_the_api_and_a_dollar_more_above() -> None:
    inside = replace(EVIDENCE, data_may_leave=False)
    assert "costs nothing extra" in decide(options(100, 100, 100), inside).reasons[0]
    assert "that costs $1.00 a month more" in decide(options(100, 100, 101), inside).reasons[0]


def test_a_thousandth_beyond_capacity_is_noise() -> None:
    at_limit, above = (replace(EVIDENCE, unserved_share=share) for share in (0.001, 0.0011))
    assert decide(options(200, 150, 100), at_limit).choice == "self-host"
    assert not any("can't serve" in reason for reason in decide(options(3, 2, 1), at_limit).reasons)
    assert decide(options(200, 150, 100), above).choice == "hosted"
    assert "can't serve" in decide(options(3, 2, 1), above).reasons[0]


def test_a_warning_names_the_model_of_a_stack_that_serves_several() -> None:
    small = replace(EVIDENCE, unserved_share=0.4, model="qwen3-14b")
    late = replace(EVIDENCE, objective_share=0.5, model="qwen3-14b")
    costs = options(10, 20, 30)
    assert "can't serve 40% of the requests of qwen3-14b:" in decide(costs, small).reasons[0]
    assert "Only 50% of requests of qwen3-14b would" in decide(costs, late).reasons[0]
    assert "of the requests:" in decide(costs, replace(small, model="")).reasons[0]


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
