"""Figures are rounded once, and written as people and programs read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from breakeven.reports.formatting import (
    counted,
    money,
    rate,
    usd,
    usd_difference,
    usd_for_one,
    usd_per_million,
    volume,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [("0.0000005", "0.000001"), ("1.2500", "1.25"), ("1200", "1200"), ("0", "0")],
)
def test_a_rate_has_six_places_and_no_zeros_at_the_end(value: str, text: str) -> None:
    assert rate(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1234567.891", "$1,234,567.89"),
        ("0.5", "$0.50"),
        ("-0.5", "-$0.50"),
        ("-3.5", "-$3.50"),
        ("-0.001", "$0.00"),
    ],
)
def test_dollars_have_cents_separators_and_the_sign_first(value: str, text: str) -> None:
    assert usd(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.5", "+$1.50"),
        ("-1.5", "-$1.50"),
        ("0", "$0.00"),
        ("0.004", "$0.00"),
        ("-0.004", "$0.00"),
    ],
)
def test_a_difference_has_its_sign_unless_it_is_nothing(value: str, text: str) -> None:
    assert usd_difference(Decimal(value)) == text


def test_a_million_tokens_are_priced_to_a_hundredth_of_a_cent() -> None:
    assert usd_per_million(Decimal("1234.56789")) == "$1,234.5679"
    assert usd_per_million(Decimal("0.00005")) == "$0.0001"  # half up, as all money


def test_things_are_counted_as_people_do() -> None:
    assert [counted(number, "node") for number in (0, 1, 1200)] == [
        "0 nodes",
        "1 node",
        "1,200 nodes",
    ]


@pytest.mark.parametrize(
    ("price", "text"),
    [
        ("0.0225", "$0.0225"),
        ("3", "$3.00"),
        ("0.1", "$0.10"),
        ("99.1234", "$99.1234"),
        ("100.1234", "$100.12"),
        ("100.125", "$100.13"),
        ("15000", "$15,000.00"),
    ],
)
def test_unit_prices_keep_their_digits_below_a_hundred_dollars(price: str, text: str) -> None:
    assert usd_for_one(Decimal(price)) == text


def test_half_a_cent_is_rounded_as_in_the_json_form() -> None:
    assert usd(Decimal("16.425")) == "$16.43" == f"${money(Decimal('16.425'))}"


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (999, "999"),
        (10**6, "1 million"),
        (5_000_000, "5 million"),
        (12_345_678, "12.3 million"),
        (123_456_789, "123 million"),
        (999_400, "999,400"),
        (999_900_000, "1 billion"),
        (999_400_000, "999 million"),
        (1_260_000_000, "1.26 billion"),
        (3e12, "3 trillion"),
        (2.5e16, "25,000 trillion"),
    ],
)
def test_volumes_are_written_as_people_say_them(tokens: float, words: str) -> None:
    assert volume(tokens) == words
