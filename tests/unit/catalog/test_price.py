"""A price is what it says, and a missing one says what is near."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.price import PRIVATE, Price, PriceMissingError, committed, split_private
from breakeven.suggestions import COUNT, near_names


def price(usd: Decimal) -> Price:
    return Price(
        identifier="volume/aws/gp3",
        usd=usd,
        unit="GB-month",
        source="a list",
        as_of=date(2026, 1, 1),
        confidence="list",
    )


@pytest.mark.parametrize("usd", ["-0.01", "NaN", "Infinity"])
def test_no_price_is_negative_or_no_number(usd: str) -> None:
    with pytest.raises(ValueError, match="volume/aws/gp3"):
        price(Decimal(usd))


def test_a_price_of_zero_is_a_price() -> None:
    assert price(Decimal(0)).usd == 0


def test_a_source_is_shown_unless_the_price_is_private() -> None:
    listed = price(Decimal("0.08"))
    assert listed.shown_source == "a list"
    assert replace(listed, private=True).shown_source == PRIVATE


@given(
    st.decimals(0, 10_000, places=4),
    st.decimals(0, 99, places=2),
    st.integers(1, 10),
    st.booleans(),
)
def test_a_commitment_never_costs_more_and_says_whose_discount_it_is(
    usd: Decimal, percent: Decimal, years: int, private: bool
) -> None:
    listed = replace(price(usd), private=private)
    discounted = committed(listed, percent, years)
    assert 0 <= discounted.usd <= usd
    assert discounted.usd * 100 == usd * (100 - percent)
    assert "your commitment" in discounted.source
    assert discounted.confidence == "user"
    assert replace(discounted, usd=usd, source="a list", confidence="list") == listed


def test_a_deeper_discount_costs_less() -> None:
    listed = price(Decimal(100))
    amounts = [committed(listed, Decimal(percent), 1).usd for percent in range(0, 100, 5)]
    assert amounts == sorted(amounts, reverse=True)
    assert amounts[8] == 60
    assert committed(listed, Decimal("27.50"), 1).source.endswith(
        "27.5% for your commitment of 1 year"
    )


@pytest.mark.parametrize(
    ("percent", "years"), [("-1", 1), ("100", 1), ("100.01", 1), ("NaN", 1), ("10", 0), ("10", 11)]
)
def test_a_commitment_that_no_one_sells_is_refused(percent: str, years: int) -> None:
    with pytest.raises(ValueError, match="allowed"):
        committed(price(Decimal(1)), Decimal(percent), years)


def test_no_commitment_covers_a_spot_price() -> None:
    spot = replace(price(Decimal(1)), identifier="node/aws/us-east-1/g6.xlarge/spot")
    with pytest.raises(ValueError, match="spot"):
        committed(spot, Decimal(10), 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.25", ("1.25", False)),
        ("1.25 private", ("1.25", True)),
        (" 1.25   private ", ("1.25", True)),
        ("1.25 secret", ("1.25 secret", False)),
        ("private", ("private", False)),
    ],
)
def test_a_stated_price_may_be_marked_private(text: str, expected: tuple[str, bool]) -> None:
    assert split_private(text) == expected


def test_a_missing_price_names_itself_and_what_is_near() -> None:
    error = PriceMissingError("volume/aws/gp4", ("volume/aws/gp3", "volume/aws/gp2"))
    assert isinstance(error, LookupError)
    assert error.identifier == "volume/aws/gp4"
    assert str(error) == 'no price for "volume/aws/gp4"; near: volume/aws/gp3, volume/aws/gp2'


def test_names_are_near_by_part_by_typo_and_in_any_case() -> None:
    known = ("l4", "L40S", "a10g", "h100", "h100-nvl")
    assert near_names("H10", known) == ("h100", "h100-nvl")
    assert near_names("l40", known)[0] == "L40S"
    assert near_names("", known) == ()
    assert near_names("zzzzzz", known) == ()


@given(st.text(), st.lists(st.text(min_size=1), unique_by=str.lower))
def test_near_names_are_known_names_and_few(wanted: str, known: list[str]) -> None:
    near = near_names(wanted, known)
    assert set(near) <= set(known)
    assert len(near) == len(set(near)) <= COUNT
