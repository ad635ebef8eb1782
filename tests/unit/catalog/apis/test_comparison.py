"""What an offer costs by several sources, and when it may not decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.apis.comparison import compared_price
from breakeven.catalog.apis.findings import (
    ContextTooShort,
    OutsideRegions,
    PriceDisputed,
    Retired,
    RetiresSoon,
    Unconfirmed,
    retirement,
)
from breakeven.catalog.apis.prices import TokenRates, UnknownApiModelError
from breakeven.catalog.apis.terms import Request, Terms

TODAY = date(2026, 11, 30)
REQUEST = Request(
    input_tokens=1024, cached_input_tokens=0, output_tokens=256, longest=8192, regions=()
)


def test_a_retired_offer_does_not_decide() -> None:
    for reference, day in (
        ("groq/llama-3.1-8b-instant", date(2026, 8, 16)),
        ("together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", date(2026, 3, 6)),
    ):
        price = compared_price(reference, REQUEST, TODAY)
        assert not price.decides
        assert [each.on for each in price.findings if isinstance(each, Retired)] == [day]
        assert compared_price(reference, REQUEST, day - timedelta(days=1)).decides


def test_an_offer_with_a_shorter_context_than_the_stack_does_not_decide() -> None:
    reference = "novita/meta-llama/llama-3.3-70b-instruct"
    long = compared_price(reference, replace(REQUEST, longest=16_384), TODAY)
    [finding] = [each for each in long.findings if isinstance(each, ContextTooShort)]
    assert (finding.tokens, finding.needed, long.decides) == (12_288, 16_384, False)
    assert compared_price(reference, replace(REQUEST, longest=12_288), TODAY).decides


@pytest.mark.parametrize(
    ("reference", "lower", "higher"),
    [
        ("fireworks/accounts/fireworks/models/gemma-3-27b-it", "0.1", "0.9"),
        ("fireworks/accounts/fireworks/models/llama-v3p1-8b-instruct", "0.1", "0.2"),
        ("ovhcloud/Meta-Llama-3_3-70B-Instruct", "0.67", "0.74"),
    ],
)
def test_a_disputed_price_is_shown_and_the_higher_counts(
    reference: str, lower: str, higher: str
) -> None:
    price = compared_price(reference, REQUEST, TODAY)
    [finding] = [each for each in price.findings if isinstance(each, PriceDisputed)]
    assert (finding.lower, finding.higher) == (Decimal(lower), Decimal(higher))
    assert finding.lower_source != finding.higher_source
    assert price.usd_per_million_tokens == Decimal(higher)
    assert price.decides


def test_sources_that_nearly_agree_are_no_dispute() -> None:
    price = compared_price("openai/gpt-5.6-luna", REQUEST, TODAY)
    assert price.findings == ()
    assert price.usd_per_million_tokens == Decimal("0.4")


def test_an_offer_that_only_the_second_source_lists_has_its_price() -> None:
    price = compared_price("deepinfra/openai/gpt-oss-120b", REQUEST, TODAY)
    assert price.source.startswith("litellm")
    with pytest.raises(UnknownApiModelError):
        compared_price("deepinfra/nonsense", REQUEST, TODAY)


def test_an_offer_outside_the_regions_or_in_an_unknown_one_does_not_decide() -> None:
    inside = replace(REQUEST, regions=("eu",))
    assert compared_price("ovhcloud/gpt-oss-20b", inside, TODAY).decides
    unknown = compared_price("openai/gpt-5.6-luna", inside, TODAY)
    assert unknown.findings == (OutsideRegions("", ("eu",)),)
    assert not unknown.decides


def test_a_region_by_contract_replaces_an_unknown_region() -> None:
    inside = replace(REQUEST, regions=("eu",))
    assert compared_price("openai/gpt-5.6-luna", inside, TODAY, Terms(region="eu")).decides
    assert not compared_price("openai/gpt-5.6-luna", inside, TODAY, Terms(region="us")).decides


def test_an_offer_that_the_second_source_lacks_is_unconfirmed_but_decides() -> None:
    price = compared_price("together/meta-llama/Llama-2-13b-chat-hf", REQUEST, TODAY)
    assert [type(each) for each in price.findings] == [Unconfirmed]
    assert price.decides


def test_a_contract_needs_no_source() -> None:
    contract = Terms(
        rates=TokenRates(input=Decimal(1), cached_input=Decimal("0.5"), output=Decimal(2))
    )
    price = compared_price(
        "article/api", replace(REQUEST, cached_input_tokens=512), TODAY, contract
    )
    assert price.usd_per_request == Decimal(512 + 256 + 512) / 10**6
    assert price.is_contract
    assert price.findings == ()


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(-1000, 1000))
def test_retired_soon_and_later_are_distinguished_by_the_day(day: date, ahead: int) -> None:
    found = list(retirement(day, "s", day - timedelta(days=ahead)))
    if ahead <= 0:
        assert found == [Retired(day, "s")]
    elif ahead <= 182:
        assert found == [RetiresSoon(day, "s")]
    else:
        assert found == []
