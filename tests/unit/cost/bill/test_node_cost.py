"""An owned node is written off, and draws power meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.bill.node_cost import OwnedNode, months_until
from breakeven.cost.calendar import CALENDAR_MONTH, THIRTY_DAYS, Calendar
from tests.unit.cost.builders import owned_node
from tests.unit.cost.strategies import money

_EXACT = Decimal("1e-20")

calendars = st.sampled_from([CALENDAR_MONTH, THIRTY_DAYS])
shares = st.decimals(Decimal(0), Decimal(1), places=2)
owned_nodes = st.builds(
    OwnedNode,
    purchase_price=money("1", "1000000"),
    amortization_years=st.integers(1, 15),
    residual_share=shares,
    power_watts=st.integers(0, 100_000),
    power_usage_effectiveness=st.decimals(Decimal(1), Decimal(3), places=2),
    electricity_price_per_kwh=money("0", "5"),
    rack_and_support_per_month=money("0", "10000"),
    gpus=st.just(8),
)


@given(owned_nodes)
def test_what_is_written_off_and_the_residual_value_are_the_purchase_price(node: OwnedNode) -> None:
    months = node.amortization_years * 12
    residual = node.purchase_price * node.residual_share
    total = node.amortization() * months + residual
    assert total == pytest.approx(node.purchase_price, rel=_EXACT)


@given(owned_nodes, st.integers(1, 10))
def test_a_longer_life_lowers_the_monthly_cost_and_nothing_else_does_it(
    node: OwnedNode, years: int
) -> None:
    longer = replace(node, amortization_years=node.amortization_years + years)
    assert longer.amortization() <= node.amortization()
    assert longer.resting_watts == node.resting_watts


@given(owned_nodes, calendars)
def test_power_grows_in_step_with_draw_and_pue(node: OwnedNode, calendar: Calendar) -> None:
    drawn = node.kilowatt_hours(node.resting_watts, calendar)
    assert node.kilowatt_hours(2 * node.resting_watts, calendar) == pytest.approx(
        2 * drawn, rel=_EXACT
    )
    worse = replace(node, power_usage_effectiveness=node.power_usage_effectiveness * 2)
    assert worse.kilowatt_hours(node.resting_watts, calendar) == pytest.approx(
        2 * drawn, rel=_EXACT
    )


@pytest.mark.parametrize("calendar", [CALENDAR_MONTH, THIRTY_DAYS])
def test_a_kilowatt_takes_as_many_kilowatt_hours_as_the_month_has_hours(
    calendar: Calendar,
) -> None:
    assert owned_node().kilowatt_hours(Decimal(1000), calendar) == calendar.hours_per_month


def test_the_full_draw_is_that_of_all_hours_unless_an_idle_one_is_stated() -> None:
    node = owned_node(power_watts=6500)
    assert node.resting_watts == 6500
    assert replace(node, idle_watts=Decimal(2000)).resting_watts == 2000


SERVER = owned_node(
    purchase_price=Decimal(290_000),
    amortization_years=4,
    residual_share=Decimal("0.1"),
    capital_share=Decimal("0.08"),
    insurance_share=Decimal("0.01"),
    spares_share=Decimal("0.02"),
)


def test_capital_is_paid_for_what_the_node_is_worth_on_average() -> None:
    assert SERVER.capital() == (290_000 + 29_000) / Decimal(2) * Decimal("0.08") / 12
    assert SERVER.insurance() == Decimal(2900) / 12
    assert SERVER.spares() == Decimal(5800) / 12


def test_shared_hardware_is_written_off_financed_insured_and_repaired_like_a_node() -> None:
    node = replace(SERVER, shared_price=Decimal(290_000))
    expected = SERVER.amortization() + SERVER.capital() + SERVER.insurance() + SERVER.spares()
    assert node.shared() == pytest.approx(expected, rel=_EXACT)
    assert SERVER.shared() == 0


def test_a_node_that_is_there_is_written_off_from_its_purchase_on() -> None:
    half = replace(SERVER, months_left=24)
    assert half.amortization() == SERVER.amortization()
    assert half.capital() < SERVER.capital()
    assert replace(SERVER, months_left=0).amortization() == 0
    stated = replace(half, book_value=Decimal(53_000))
    assert stated.amortization() == 1000
    assert stated.capital() == (53_000 + 29_000) / Decimal(2) * Decimal("0.08") / 12
    assert replace(half, book_value=Decimal(1)).amortization() == 0


@pytest.mark.parametrize(
    ("end", "months"),
    [
        (date(2026, 11, 30), 0),
        (date(2026, 12, 1), 1),
        (date(2026, 12, 30), 1),
        (date(2028, 11, 30), 24),
        (date(2020, 1, 1), 0),
    ],
)
def test_a_month_that_has_begun_counts(end: date, months: int) -> None:
    assert months_until(end, date(2026, 11, 30)) == months
