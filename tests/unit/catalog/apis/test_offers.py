"""Facts about API offers: read, written sorted, and found by the name that a stack uses."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.apis.offers import (
    COLUMNS,
    OFFERS_PATH,
    REGIONS,
    ApiOffer,
    OffersFileError,
    find_offers,
    find_provider_region,
    offers_text,
    read_offers,
    stated_quantization,
    stated_region,
)

_text = st.text("abc-/.:,@09", min_size=1, max_size=8)
_price = st.none() | st.decimals(Decimal("0.0001"), 1000, places=6)
_tokens = st.none() | st.integers(1, 10**7)
_day = st.dates(date(2020, 1, 1), date(2040, 1, 1))
offers = st.builds(
    ApiOffer,
    provider=st.sampled_from(["a", "b"]),
    model=_text,
    input=_price,
    cached_read=_price,
    cache_write=_price,
    output=_price,
    batch_input=_price,
    batch_output=_price,
    max_input_tokens=_tokens,
    max_output_tokens=_tokens,
    retires=st.none() | _day,
    quantization=st.sampled_from(["", "fp8"]),
    region=st.sampled_from(["", *REGIONS]),
    source=_text,
    as_of=_day,
)


def test_the_file_in_use_is_what_an_import_would_write() -> None:
    text = OFFERS_PATH.read_text(encoding="utf-8")
    found = list(read_offers(text.splitlines(), OFFERS_PATH.name))
    assert "\n".join(offers_text(found)) + "\n" == text
    assert len(found) > 2000


@given(st.lists(offers, max_size=5))
def test_what_is_written_is_read_again(some: list[ApiOffer]) -> None:
    written = list(offers_text(some))
    ordered = sorted(some, key=lambda each: (each.provider, each.model, each.source))
    assert list(read_offers(written, "test")) == ordered


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("p,m,much,,,,,,,,,,,s,2026-01-01", "line 2"),
        ("p,m,,,,,,,many,,,,,s,2026-01-01", "many"),
        ("p,m,,,,,,,,,soon,,,s,2026-01-01", "soon"),
        ("p,m,,,,,,,,,,,,s,", "line 2"),
    ],
)
def test_a_damaged_line_is_named(line: str, part: str) -> None:
    with pytest.raises(OffersFileError, match=part):
        list(read_offers([",".join(COLUMNS), line], "own.csv"))


def test_a_file_with_other_columns_is_refused() -> None:
    with pytest.raises(OffersFileError, match="Allowed: provider,model"):
        list(read_offers(["provider,price", "a,1"], "own.csv"))


def test_an_offer_is_found_whatever_the_case_and_by_the_last_part_of_its_name() -> None:
    [exact] = find_offers("openai/GPT-4.1-mini")
    assert exact.retires == date(2027, 1, 14)
    [near] = find_offers("fireworks/gemma-3-27b-it")
    assert near.model == "accounts/fireworks/models/gemma-3-27b-it"
    assert near.output == Decimal("0.9")
    assert find_offers("openai/nonsense") == ()
    assert find_offers("nobody/gpt-4.1") == ()


def test_regional_entries_are_no_second_opinion_on_another_region() -> None:
    assert find_offers("aws/minimax.minimax-m2.5-other") == ()
    [london] = find_offers("aws/eu-west-2/minimax.minimax-m2.5")
    assert london.region == "uk"


@pytest.mark.parametrize(
    ("model", "region"),
    [
        ("eu-central-1/minimax.minimax-m2.1", "eu"),
        ("eu.anthropic.claude-haiku-4-5", "eu"),
        ("eu-west-2/meta.llama3", "uk"),
        ("us-gov-west-1/meta.llama3", "us"),
        ("apac.anthropic.claude", "ap"),
        ("europe-model", ""),
        ("gpt-4.1", ""),
    ],
)
def test_a_name_states_its_region(model: str, region: str) -> None:
    assert stated_region(model) == region


@pytest.mark.parametrize(
    ("model", "precision"),
    [
        ("@cf/qwen/qwen3-30b-a3b-fp8", "fp8"),
        ("Qwen/Qwen3-14B-FP8", "fp8"),
        ("Llama-3.3-70B-Instruct-Turbo", ""),
        ("some-awq-model", "awq"),
        ("draft8", ""),
    ],
)
def test_a_name_states_its_precision(model: str, precision: str) -> None:
    assert stated_quantization(model) == precision


def test_regions_of_providers_have_a_source() -> None:
    found = find_provider_region("ovhcloud")
    assert found is not None
    assert (found.region, bool(found.source)) == ("eu", True)
    assert find_provider_region("openai") is None
