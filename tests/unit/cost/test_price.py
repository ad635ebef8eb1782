"""A price is what it says, and a missing one says what is near."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.cost.near import COUNT, near_names
from components.cost.price import Price, PriceMissingError


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
