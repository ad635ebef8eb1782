"""A line keeps where its price is from, and shows no private one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from breakeven.catalog.price import PRIVATE, Confidence, Price
from breakeven.cost.bill.charge import Charge, Driver, driven
from breakeven.cost.bill.line_item import Infrastructure, line_item, monthly_of, stated_price
from breakeven.reports.sentences.line_items import item_prices, item_source
from tests.unit.cost.builders import TODAY

LISTED = Price(
    identifier="volume/aws/gp3",
    usd=Decimal("0.085"),
    unit="GB-month",
    source="a price list",
    as_of=date(2026, 1, 1),
    confidence="list",
)


def volume(gigabytes: Decimal) -> Charge:
    return Charge(kind="volume", quantity=gigabytes, unit="GB-month")


def test_a_line_keeps_what_its_price_says() -> None:
    line = line_item(volume(Decimal("1.5")), LISTED)
    assert (line.identifier, line.source, line.confidence) == (
        "volume/aws/gp3",
        "a price list",
        "list",
    )
    assert (line.kind, line.quantity, line.unit) == ("volume", Decimal("1.5"), "GB-month")
    assert line.unit_price == Decimal("0.085")
    assert not line.private
    assert not line.model


@pytest.mark.parametrize(
    ("confidence", "as_of"),
    [
        ("list", LISTED.as_of),
        ("estimate", LISTED.as_of),
        ("measured", LISTED.as_of),
        ("user", None),
    ],
)
def test_only_a_stated_price_has_no_date(confidence: Confidence, as_of: date | None) -> None:
    listed = replace(LISTED, confidence=confidence)
    line = line_item(volume(Decimal(1)), listed)
    assert line.as_of == as_of


def test_each_line_is_rounded_to_the_cent_so_that_what_is_shown_adds_up() -> None:
    line = line_item(volume(Decimal("1.5")), LISTED)  # 12.75 cents
    assert line.monthly == Decimal("0.13")
    assert monthly_of([line, line]) == Decimal("0.26")
    assert Infrastructure((line, line), (), ()).monthly == Decimal("0.26")
    assert monthly_of([]) == 0


def test_prices_are_shown_unless_they_are_private() -> None:
    line = line_item(volume(Decimal(1000)), LISTED)
    assert item_prices(line) == ("$0.085", "$85.00")
    private = replace(line, private=True)
    assert item_prices(private) == (PRIVATE, PRIVATE)
    assert private.monthly == 85


def test_what_grows_with_something_says_what_one_unit_of_it_costs() -> None:
    grown = driven(volume(Decimal(10)), Driver.NODE_STARTS, Decimal(3))
    line = line_item(grown, LISTED)
    assert (line.driver, line.usd_each) == (Driver.NODE_STARTS, Decimal("0.85"))
    assert line.quantity == 30
    assert not line.is_dormant
    assert line_item(driven(volume(Decimal(10)), Driver.NODE_STARTS, Decimal(0)), LISTED).is_dormant
    same = line_item(volume(Decimal(0)), LISTED)
    assert (same.driver, same.is_dormant) == (Driver.NOTHING, False)


def test_a_line_has_a_key_that_no_share_changes() -> None:
    busy = Charge(kind="busy-nodes", quantity=Decimal(1), share=Decimal("0.5"), model="a-model")
    assert line_item(busy, LISTED).key == "busy-nodes/a-model"
    disk = Charge(kind="volume", quantity=Decimal(1), attached="/dev/sdf", variant="gp3")
    assert line_item(disk, LISTED, "server").key == "volume/server//dev/sdf"


def test_a_setting_that_states_a_price_is_its_source() -> None:
    price = stated_price("staffing.engineerSalary", Decimal(100), TODAY)
    assert (price.identifier, price.confidence) == ("staffing.engineerSalary", "user")
    assert price.usd == 100
    assert price.as_of == TODAY
    line = line_item(Charge(kind="engineer", quantity=Decimal(1)), price)
    assert item_source(line) == "stack setting staffing.engineerSalary"
