"""API prices are the package's own, per request; what is not known is never free."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from itertools import product

import pytest
from genai_prices.data import providers
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.apis.prices import ApiPrice, UnknownApiModelError, api_price
from breakeven.catalog.apis.token_price_file import PACKAGE_DATE, PACKAGE_VERSION
from tests.each import each

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def priced(
    reference: str, input_tokens: int, output_tokens: int, cached: int = 0, on: datetime = NOW
) -> ApiPrice:
    return api_price(
        reference,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_input_tokens=cached,
        on=on,
    )


def test_the_installed_package_is_the_one_whose_date_is_stated() -> None:
    assert version("genai-prices") == PACKAGE_VERSION


@pytest.mark.parametrize(
    ("reference", "tokens", "usd"),
    [
        ("openai/gpt-4.1-mini", (1000, 200, 0), "0.00072"),
        ("openai/gpt-4.1-mini", (1000, 200, 600), "0.00054"),
        ("google/gemini-2.5-pro", (100_000, 20_000, 0), "0.325"),
        # Beyond 200,000 tokens the dearer tier applies to all of them.
        ("google/gemini-2.5-pro", (1_000_000, 200_000, 0), "5.5"),
        ("groq/llama-3.3-70b-versatile", (1000, 1000, 0), "0.00138"),
    ],
)
def test_a_request_costs_what_the_list_says(
    reference: str, tokens: tuple[int, int, int], usd: str
) -> None:
    price = priced(reference, *tokens)
    assert price.usd_per_request == Decimal(usd)
    assert price.usd_per_million_tokens == Decimal(usd) * 10**6 / (tokens[0] + tokens[1])
    assert price.source == f"genai-prices {PACKAGE_VERSION}"
    assert price.as_of == PACKAGE_DATE
    assert price.reference == reference


@given(st.integers(0, 100_000), st.integers(0, 100_000))
def test_cached_input_lowers_the_price_in_proportion(cached: int, output: int) -> None:
    total = 100_000
    none = priced("openai/gpt-4.1-mini", total, output).usd_per_request
    whole = priced("openai/gpt-4.1-mini", total, output, total).usd_per_request
    some = priced("openai/gpt-4.1-mini", total, output, cached).usd_per_request
    assert some == none + (whole - none) * cached / total
    assert whole < none


@given(st.integers(1, 100_000), st.integers(1, 8_000), st.integers(1, 1000))
def test_a_longer_request_costs_more(input_tokens: int, output_tokens: int, more: int) -> None:
    reference = "anthropic/claude-haiku-4-5"
    usd = priced(reference, input_tokens, output_tokens).usd_per_request
    assert priced(reference, input_tokens + more, output_tokens).usd_per_request > usd
    assert priced(reference, input_tokens, output_tokens + more).usd_per_request > usd


def test_where_cached_input_has_no_own_price_it_costs_as_other_input() -> None:
    reference = "groq/llama-3.3-70b-versatile"
    assert priced(reference, 1000, 100, 900).usd_per_request == (
        priced(reference, 1000, 100).usd_per_request
    )


def test_prices_have_a_history() -> None:
    reference = "novita/meta-llama/llama-3.1-8b-instruct"
    before = priced(reference, 1000, 0, on=datetime(2026, 10, 17, tzinfo=UTC))
    assert before.usd_per_request > priced(reference, 1000, 0).usd_per_request


def test_reading_tokens_alone_needs_a_price_for_input_only() -> None:
    price = priced("openai/text-embedding-3-small", 1000, 0)
    assert price.usd_per_million_tokens == Decimal("0.02")


@each(
    "provider, model",
    product(
        [provider.id for provider in providers],
        ["nonsense", "nonsense-70b-instruct", "some/nonsense"],
    ),
)
def test_a_nonsense_model_has_no_price_with_any_provider(provider: str, model: str) -> None:
    with pytest.raises(UnknownApiModelError, match=f'no model "{model}" of {provider}'):
        priced(f"{provider}/{model}", 1000, 100)


@pytest.mark.parametrize("provider", ["opnai", "openai-nonsense", "bedrock", "xopenai"])
def test_a_wrong_provider_is_distinguished_from_a_wrong_model(provider: str) -> None:
    with pytest.raises(UnknownApiModelError, match=f'no provider "{provider}"') as caught:
        priced(f"{provider}/gpt-4.1-mini", 1000, 100)
    assert "openai/gpt-4.1-mini" in caught.value.near
    assert caught.value.reference == f"{provider}/gpt-4.1-mini"


def test_a_mistyped_model_names_near_ones_that_have_a_price() -> None:
    with pytest.raises(UnknownApiModelError) as caught:
        priced("openai/gpt-4.1-mni", 1000, 100)
    assert caught.value.near[0] == "openai/gpt-4.1-mini"
    with pytest.raises(UnknownApiModelError) as caught:
        priced("fireworks/llama-v3p1-8b-instruct", 1000, 100)
    assert priced(caught.value.near[0], 1000, 100).usd_per_request > 0


@pytest.mark.parametrize("reference", ["gpt-4.1-mini", "", "/gpt-4.1-mini", "openai/"])
def test_a_reference_has_a_provider_and_a_model(reference: str) -> None:
    with pytest.raises(UnknownApiModelError, match="provider/model"):
        priced(reference, 1000, 100)


def test_a_bare_model_name_is_offered_with_its_providers() -> None:
    with pytest.raises(UnknownApiModelError) as caught:
        priced("gpt-4.1-mini", 1000, 100)
    assert "openai/gpt-4.1-mini" in caught.value.near


@pytest.mark.parametrize(
    "reference",
    [
        "google/gemma-4-31b-it",  # free of charge, no paid tier
        "azure/phi-4-reasoning:free",
        "voyageai/voyage-3.5",  # reads only
        "openai/whisper-1",  # by the minute
    ],
)
def test_a_model_without_a_price_for_these_tokens_is_not_free(reference: str) -> None:
    with pytest.raises(UnknownApiModelError, match="tokens have no price"):
        priced(reference, 1000, 100)


def test_the_message_names_a_row_that_differs_from_the_request() -> None:
    assert "gpt-4.1-mini of the model's maker" in priced("azure/gpt-4.1-mini", 1000, 100).source
    assert "row gpt-4.1-mini" in priced("openai/gpt-4.1-mini-2025-04-14", 1000, 100).source


def test_what_the_package_calls_deprecated_does_not_decide() -> None:
    assert not priced("cerebras/llama3.1-8b", 1000, 100).decides


@pytest.mark.parametrize("tokens", [(0, 0, 0), (10, 10, 11), (10, 10, -1), (-5, 4, 0)])
def test_impossible_token_counts_are_refused(tokens: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="tokens"):
        priced("openai/gpt-4.1-mini", *tokens)


def test_the_package_is_not_imported_before_a_price_is_needed() -> None:
    check = "import sys, breakeven.catalog.apis.prices; sys.exit('genai_prices' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
