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
    FleetTooSmall,
    HoldsIfSlower,
    ObjectiveMissed,
    Option,
    OwnGpusIdle,
    decide,
)

NEVER = BreakEvenVolume("test/api", BreakEven((), 64, 1e9), 10**6)

EVIDENCE = Evidence(
    data_may_leave=True,
    busy_share=0.3,
    staffing_share=Decimal("0.4"),
    unserved_share=0.0,
    objective_share=0.99,
    objective_seconds=2.0,
    replicas_needed=3,
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


def test_a_fleet_too_small_for_the_load_is_not_recommended_and_says_what_it_needs() -> None:
    small = replace(EVIDENCE, unserved_share=0.4, replicas_needed=7)
    verdict = decide(options(200, 150, 100), small)
    assert verdict.choice == "hosted"
    assert FleetTooSmall(0.4, 7, "") in verdict.reasons


def test_late_first_tokens_are_pointed_out_from_the_objective_on() -> None:
    def said(share: float) -> bool:
        verdict = decide(options(200, 150, 100), replace(EVIDENCE, objective_share=share))
        return ObjectiveMissed(share, 2.0, "") in verdict.reasons

    assert said(0.94)
    assert not said(0.95)


def test_own_nodes_are_compared_with_the_cheapest_api_and_an_api_with_own_nodes() -> None:
    verdict = decide(options(1000, 2000, 3500), EVIDENCE)
    assert (verdict.chosen.choice, verdict.compared.choice) == ("api", "self-host")
    verdict = decide(options(1000, 400, 300), EVIDENCE)
    assert (verdict.chosen.choice, verdict.compared.choice) == ("self-host", "hosted")


def test_an_api_is_recommended_with_what_own_nodes_would_have_been() -> None:
    assert decide(options(10, 20, 30), EVIDENCE).reasons == (
        NEVER,
        OwnGpusIdle(0.7, Decimal("0.4")),
    )


def test_self_hosting_is_recommended_with_how_sure_it_is() -> None:
    assert decide(options(200, 150, 100, spread=20), EVIDENCE).reasons == (
        HoldsIfSlower(option("self-host", 100, 20), 25),
        NEVER,
    )


def test_a_band_that_reaches_the_api_says_which_figure_would_decide() -> None:
    assert decide(options(120, 119, 100, spread=20), EVIDENCE).choice == "hosted"
    assert decide(options(130, 120, 100, spread=20), EVIDENCE).choice == "self-host"


def test_a_thousandth_beyond_capacity_is_noise() -> None:
    at_limit, above = (replace(EVIDENCE, unserved_share=share) for share in (0.001, 0.0011))
    assert decide(options(200, 150, 100), at_limit).choice == "self-host"
    reasons = decide(options(3, 2, 1), at_limit).reasons
    assert not any(isinstance(reason, FleetTooSmall) for reason in reasons)
    assert decide(options(200, 150, 100), above).choice == "hosted"
    assert isinstance(decide(options(3, 2, 1), above).reasons[0], FleetTooSmall)


def test_a_warning_names_the_model_of_a_stack_that_serves_several() -> None:
    small = replace(EVIDENCE, unserved_share=0.4, model="qwen3-14b")
    late = replace(EVIDENCE, objective_share=0.5, model="qwen3-14b")
    costs = options(10, 20, 30)
    assert decide(costs, small).reasons[0] == FleetTooSmall(0.4, 3, "qwen3-14b")
    assert decide(costs, late).reasons[0] == ObjectiveMissed(0.5, 2.0, "qwen3-14b")


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
