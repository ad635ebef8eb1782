"""Token prices that a refresh saved are used if they are newer than those of the package.

The form is that of prices/new_data/v2/data.json in github.com/pydantic/genai-prices.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from breakeven.catalog.apis import token_price_file as prices
from breakeven.catalog.apis.prices import ApiPrice, UnknownApiModelError, api_price

DAY = prices.PACKAGE_DATE + timedelta(10)

OPENAI = {
    "id": "openai",
    "name": "OpenAI",
    "pricing_urls": ["https://platform.openai.com/docs/pricing"],
    "api_pattern": "https://api\\.openai\\.com",
    "model_match": {"starts_with": "gpt-"},
    "models": [
        {
            "id": "gpt-4.1",
            "match": {"or": [{"equals": "gpt-4.1"}, {"starts_with": "gpt-4.1-2"}]},
            "context_window": 1_000_000,
            "prices": {"input_mtok": 3, "cache_read_mtok": 0.75, "output_mtok": 12},
        },
        {"id": "gpt-9", "match": {"equals": "gpt-9"}, "prices": {"input_mtok": 1}},
    ],
}


@pytest.fixture(autouse=True)
def packed() -> Iterator[None]:
    """Puts the package's prices back after a test."""
    prices.forget()
    yield
    prices.forget()
    prices.in_use().providers()


def save(folder: Path, day: date = DAY) -> None:
    text = prices.file_text(json.dumps([OPENAI]).encode(), day)
    (folder / prices.FILE_NAME).write_text(text, encoding="utf-8")


def asked(reference: str = "openai/gpt-4.1") -> ApiPrice:
    return api_price(
        reference,
        input_tokens=1_000,
        output_tokens=1_000,
        cached_input_tokens=0,
        on=datetime.now(tz=UTC),
    )


def test_saved_prices_are_used_with_their_day(tmp_path: Path) -> None:
    assert asked().usd_per_million_tokens == Decimal(5)
    save(tmp_path)
    prices.use(tmp_path)
    price = asked()
    assert price.usd_per_million_tokens == Decimal("7.5")
    assert (price.as_of, price.source) == (DAY, f"genai-prices data of {DAY.isoformat()}")
    with pytest.raises(UnknownApiModelError):
        asked("anthropic/claude-haiku-4-5")


def test_saved_prices_older_than_the_package_are_not_used(tmp_path: Path) -> None:
    save(tmp_path, prices.PACKAGE_DATE - timedelta(1))
    assert prices.use(tmp_path).path is None
    assert asked().as_of == prices.PACKAGE_DATE


def test_without_a_file_the_package_is_used(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none", None):
        assert prices.use(folder).source == f"genai-prices {prices.PACKAGE_VERSION}"


def test_a_provider_is_a_line_so_that_a_refresh_is_reviewed_as_a_diff(tmp_path: Path) -> None:
    save(tmp_path)
    lines = (tmp_path / prices.FILE_NAME).read_text(encoding="utf-8").splitlines()
    assert lines[0] == f'{{"as_of": "{DAY.isoformat()}", "providers": ['
    assert json.loads(lines[1]) == OPENAI
    assert len(lines) == 3


def test_models_are_compared_by_their_prices() -> None:
    text = prices.file_text(json.dumps([OPENAI]).encode(), DAY)
    assert set(prices.model_prices(text)) == {"openai/gpt-4.1", "openai/gpt-9"}


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"<html>", "not JSON"),
        (b"{}", "not a list of providers"),
        (b"[]", "not a list of providers"),
        (b'[{"id": 7}]', "not in the form that genai-prices"),
        (b"[1]", "not in the form that genai-prices"),
    ],
)
def test_what_genai_prices_cannot_read_is_not_saved(body: bytes, part: str) -> None:
    with pytest.raises(prices.TokenPriceFileError, match=part):
        prices.file_text(body, DAY)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("hello", "line 1"),
        ('{"as_of": "soon", "providers": [\n]}', "line 1"),
        (f'{{"as_of": "{DAY}", "providers": [\n{{"id": 7}}\n]}}', "not in the form"),
        (f'{{"as_of": "{DAY}", "providers": [\n', "not JSON"),
    ],
)
def test_a_damaged_file_is_one_message_that_names_it(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / prices.FILE_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(prices.TokenPriceFileError, match=f"{prices.FILE_NAME}.*{part}"):
        prices.use(tmp_path).providers()
