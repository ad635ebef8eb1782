"""Another currency is shown by a dated rate; what is computed stays in USD, to the cent."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from breakeven.cost.currency import US_DOLLAR, Currency
from breakeven.cost.estimate import estimate
from breakeven.cost.report import Report
from breakeven.reports.document.writing import as_output
from breakeven.reports.estimate_text import render
from breakeven.reports.formatting import (
    currency_name,
    shown_in,
    usd,
    usd_difference,
    usd_for_one,
    usd_per_million,
)
from breakeven.reports.markdown import markdown
from tests.unit.cost.builders import assumptions, pool, volume

EURO = Currency("EUR", Decimal("0.86"), date(2026, 11, 27))
FRANC = Currency("CHF", Decimal("0.8"), date(2026, 11, 27))


def report(currency: Currency = US_DOLLAR) -> Report:
    return estimate((pool(), volume()), assumptions(currency=currency))


def test_amounts_are_converted_where_they_are_written() -> None:
    with shown_in(EURO):
        assert usd(Decimal(1000)) == "€860.00"
        assert usd_difference(Decimal(1000)) == "+€860.00"
        assert usd(Decimal(-1000)) == "-€860.00"
        assert usd_for_one(Decimal("0.01")) == "€0.0086"
        assert usd_per_million(Decimal(1)) == "€0.8600"
    with shown_in(FRANC):
        assert usd(Decimal(1000)) == "CHF 800.00"
    assert usd(Decimal(1000)) == "$1,000.00"


def test_the_rate_and_its_day_are_in_the_heading() -> None:
    assert currency_name(US_DOLLAR) == "USD"
    text = render(report(EURO))
    assert "EUR at 0.86 per USD of 2026-11-27" in " ".join(text.split())
    assert "EUR at 0.86 per USD of 2026-11-27" in markdown(report(EURO))


@pytest.mark.parametrize("write", [render, markdown])
def test_no_amount_stays_in_dollars(write: object) -> None:
    assert callable(write)
    text = write(report(EURO))
    assert "$" not in text
    total = f"{report().total * Decimal('0.86'):,.2f}"
    assert f"€{total}" in text
    assert usd(report().total) in write(report())


def test_the_document_stays_in_dollars_and_adds_the_main_figures() -> None:
    document, in_euro = as_output(report()), as_output(report(EURO))
    shown = in_euro.pop("shownCurrency")
    assert document.pop("shownCurrency") is None
    assert in_euro == document
    assert isinstance(shown, dict)
    assert (shown["code"], shown["perUsd"], shown["asOf"]) == ("EUR", "0.86", "2026-11-27")
    assert shown["selfHosted"] == f"{report().total * Decimal('0.86'):.2f}"


def test_lines_are_as_wide_as_before() -> None:
    narrow, wide = render(report()), render(report(FRANC))
    assert max(map(len, wide.splitlines())) <= 96
    assert len(re.findall("CHF ", wide)) >= narrow.count("$")
