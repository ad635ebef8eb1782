"""A user's own terms with an API act as stated, and several APIs cost what each costs alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.api_cost import api_curve, api_monthly
from breakeven.cost.assumptions import Assumptions
from breakeven.planning.demand import ModelDemand, demand_of
from breakeven.settings.parse import parse
from tests.unit.cost.builders import assumptions

TODAY = date(2026, 11, 30)
LUNA, HAIKU = "openai/gpt-5.6-luna", "anthropic/claude-haiku-4-5"

percents = st.integers(0, 100)


def demand(api: Mapping[str, object], traffic: Mapping[str, object] | None = None) -> ModelDemand:
    stack, problems = parse({"api": api, "traffic": traffic or {}})
    assert not problems, problems
    found, conflicts = demand_of(stack.models[0], TODAY)
    assert not conflicts, conflicts
    assert found is not None
    return found


def refused(api: Mapping[str, object], traffic: Mapping[str, object] | None = None) -> list[str]:
    stack, problems = parse({"api": api, "traffic": traffic or {}})
    _, conflicts = demand_of(stack.models[0], TODAY)
    return [*(problem.key for problem in problems), *(conflict.key for conflict in conflicts)]


def per_request(api: Mapping[str, object]) -> Decimal:
    return demand(api).apis.in_use.usd_per_request


def monthly(api: Mapping[str, object]) -> Decimal:
    found = demand(api)
    return api_monthly(found.apis.in_use, with_load(found))


def with_load(found: ModelDemand) -> Assumptions:
    return assumptions(load=found.load)


def test_no_discount_is_the_list_price() -> None:
    plain = demand({"inUse": LUNA}).apis.in_use
    assert demand({"inUse": LUNA, "terms": {LUNA: {"discountPercent": 0}}}).apis.in_use == plain
    assert plain.usd_per_million_tokens == Decimal("0.4")


@settings(max_examples=20, deadline=None)
@given(percents)
def test_a_discount_is_that_share_of_the_list_price(percent: int) -> None:
    found = per_request({"inUse": LUNA, "terms": {LUNA: {"discountPercent": percent}}})
    assert found == per_request({"inUse": LUNA}) * (100 - percent) / 100


@settings(max_examples=20, deadline=None)
@given(percents)
def test_the_batch_share_moves_the_cost_in_proportion(percent: int) -> None:
    none, whole = (per_request({"inUse": LUNA, "batchPercent": b}) for b in (0, 100))
    assert whole < none
    found = per_request({"inUse": LUNA, "batchPercent": percent})
    assert found == pytest.approx(none + (whole - none) * percent / 100)


def test_a_batch_costs_what_the_source_says_or_the_stack_states() -> None:
    # gpt-5.6-luna: 0.10 and 0.60 USD per 1M tokens by batch API.
    assert per_request({"inUse": LUNA, "batchPercent": 100}) == Decimal("0.000256")
    own = {LUNA: {"batchInput": "0.05", "batchOutput": "0.3"}}
    assert per_request({"inUse": LUNA, "batchPercent": 100, "terms": own}) == Decimal("0.000128")


def test_where_an_api_has_no_batch_price_nothing_waits() -> None:
    reference = "novita/meta-llama/llama-3.1-8b-instruct"
    assert per_request({"inUse": reference, "batchPercent": 50}) == per_request(
        {"inUse": reference}
    )


def test_cache_writes_cost_what_the_provider_charges() -> None:
    # Haiku 4.5: 1.25 USD per 1M tokens written, in place of 1.00.
    plain = per_request({"inUse": HAIKU})
    written = per_request({"inUse": HAIKU, "cacheWritePercent": 50})
    assert written - plain == Decimal("0.25") * 512 / 10**6
    own = {HAIKU: {"cacheWrite": "2"}}
    stated = per_request({"inUse": HAIKU, "cacheWritePercent": 50, "terms": own})
    assert stated - plain == Decimal(1) * 512 / 10**6


@settings(max_examples=20, deadline=None)
@given(percents)
def test_several_apis_cost_the_sum_of_their_shares(percent: int) -> None:
    shares = {LUNA: percent, HAIKU: 100 - percent}
    alone = {name: monthly({"inUse": name}) for name in shares}
    expected = sum((alone[name] * share / 100 for name, share in shares.items()), Decimal(0))
    assert monthly({"inUse": LUNA, "shares": shares}) == pytest.approx(expected)


def test_one_api_at_100_percent_is_that_api() -> None:
    assert demand({"inUse": LUNA, "shares": {LUNA: 100}}) == demand({"inUse": LUNA})


def test_a_contract_is_paid_in_place_of_the_list() -> None:
    terms = {"our/api": {"input": "1", "cachedInput": "0.5", "output": "2"}}
    found = demand({"inUse": "our/api", "terms": terms}, {"cachedInputPercent": 50})
    assert found.apis.in_use.usd_per_request == Decimal(512 + 256 + 512) / 10**6
    assert per_request({"inUse": "a/b", "terms": {"a/b": {"perRequest": "0.01"}}}) == Decimal(
        "0.01"
    )


def test_a_fee_pays_for_everything_or_is_added_to_the_price() -> None:
    flat = {"inUse": "a/b", "terms": {"a/b": {"perMonth": "5000"}}}
    assert monthly(flat) == 5000
    plus = {"inUse": LUNA, "terms": {LUNA: {"perMonth": "5000", "discountPercent": 10}}}
    assert monthly(plus) == 5000 + monthly({"inUse": LUNA}) * Decimal("0.9")


@settings(max_examples=10, deadline=None)
@given(percents, st.integers(0, 9000))
def test_a_request_costs_its_part_of_the_month(percent: int, fee: int) -> None:
    terms = {HAIKU: {"perMonth": fee, "discountPercent": 10}}
    found = demand({"inUse": LUNA, "shares": {LUNA: percent, HAIKU: 100 - percent}, "terms": terms})
    stack = with_load(found)
    requests = found.load.requests_per_day * stack.calendar.days_per_month
    exact = api_monthly(found.apis.in_use, stack) / requests
    assert stack.usd_by_api(found.apis.in_use) == pytest.approx(exact)


def test_provisioned_units_carry_what_they_can_and_the_rest_is_paid_by_the_token() -> None:
    def cost(minute: str | None) -> Decimal:
        units: dict[str, object] = {"units": 2, "unitPricePerMonth": "10"}
        if minute is not None:
            units["tokensPerMinutePerUnit"] = minute
        return monthly({"inUse": LUNA, "terms": {LUNA: {"provisioned": units}}})

    whole = monthly({"inUse": LUNA})
    assert cost(None) == 20
    assert cost("0.000001") == pytest.approx(20 + whole)
    assert 20 < cost("1000") < 20 + whole
    assert cost("1000") > cost("2000")


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([None, "500", "5000"]))
def test_the_curve_is_the_cost_at_each_volume_and_never_falls(fee: int, minute: str | None) -> None:
    terms: dict[str, object] = {"perMonth": fee, "discountPercent": 5}
    if minute is not None:
        terms["provisioned"] = {"units": 3, "tokensPerMinutePerUnit": minute}
    found = demand({"inUse": LUNA, "terms": {LUNA: terms}})
    curve = api_curve(found.apis.in_use, with_load(found))
    planned = float(found.load.tokens_per_day)
    costs = curve.at(np.linspace(0, 3 * planned, 50))
    assert costs[0] == curve.fee == fee
    assert (costs[1:] >= costs[:-1] - 1e-9).all()
    [at_plan] = curve.at(np.asarray([planned]))
    exact = float(api_monthly(found.apis.in_use, with_load(found)))
    assert at_plan == pytest.approx(exact, rel=0.01 if minute else 1e-9)


def test_longer_own_answers_cost_more_here_and_with_the_same_model_hosted() -> None:
    same, longer = (demand({"inUse": LUNA, "ownOutputPercent": p}) for p in (100, 200))
    assert longer.load.own_output_tokens == 2 * same.load.output_tokens
    assert longer.apis.in_use == same.apis.in_use
    for one, other in zip(same.apis.hosted, longer.apis.hosted, strict=True):
        assert other.usd_per_request > one.usd_per_request


def test_what_is_answered_again_is_paid_by_the_same_model_wherever_it_is_hosted() -> None:
    again = {"percent": 10, "api": HAIKU, "inputTokens": 2000, "outputTokens": 500}
    plain, escalated = demand({"inUse": LUNA}), demand({"inUse": LUNA, "escalation": again})
    price = escalated.apis.escalation
    assert price is not None
    assert price.usd_per_request == (Decimal(2000) + 5 * 500) / 10**6 / 10
    assert escalated.apis.in_use == plain.apis.in_use
    for one, other in zip(plain.apis.hosted, escalated.apis.hosted, strict=True):
        assert other.usd_per_request - one.usd_per_request == price.usd_per_request


@pytest.mark.parametrize(
    ("api", "key"),
    [
        ({"shares": {LUNA: 60, HAIKU: 30}}, "api.shares"),
        ({"inUse": "openai/gpt-6.1-sol", "shares": {LUNA: 60, HAIKU: 40}}, "api.inUse"),
        ({"terms": {LUNA: {"input": "1"}}}, f"api.terms.{LUNA}.output"),
        (
            {"terms": {"openai/gpt-5.6-lunna": {"discountPercent": 5}}},
            "api.terms.openai/gpt-5.6-lunna",
        ),
        (
            {"terms": {LUNA: {"input": "1", "output": "1", "perRequest": "1"}}},
            f"api.terms.{LUNA}.perRequest",
        ),
        ({"escalation": {"percent": 5, "api": "openai/nonsense"}}, "api.escalation.api"),
        ({"terms": {LUNA: {"discount": 5}}}, f"api.terms.{LUNA}.discount"),
    ],
)
def test_mistakes_are_named(api: Mapping[str, object], key: str) -> None:
    assert refused(api) == [key]


def test_what_is_read_from_the_cache_is_not_written() -> None:
    assert refused({"cacheWritePercent": 60}, {"cachedInputPercent": 50}) == [
        "api.cacheWritePercent"
    ]
