"""A rented node is paid by the hour; an owned one is written off, and draws power meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.cost.calendar import CALENDAR_MONTH, THIRTY_DAYS, Calendar
from components.cost.node_cost import OwnedNode, RentedNode, electricity_cost
from components.cost.price import Price
from tests.unit.cost.strategies import money

_EXACT = Decimal("1e-20")

calendars = st.sampled_from([CALENDAR_MONTH, THIRTY_DAYS])
shares = st.decimals(Decimal(0), Decimal(1), places=2)
owned_nodes = st.builds(
    OwnedNode,
    purchase_price=money("1", "1000000"),
    amortisation_years=st.integers(1, 15),
    residual_share=shares,
    power_watts=st.integers(0, 100_000),
    power_usage_effectiveness=st.decimals(Decimal(1), Decimal(3), places=2),
    electricity_price_per_kwh=money("0", "5"),
    rack_and_support_per_month=money("0", "10000"),
    description=st.just("owned"),
)


def rented(usd: Decimal) -> RentedNode:
    price = Price(
        identifier="node/aws/us-east-1/g6e.xlarge/on-demand",
        usd=usd,
        unit="node-hour",
        source="a list",
        as_of=date(2026, 1, 1),
        confidence="list",
    )
    return RentedNode(price, "g6e.xlarge, on-demand")


@given(money("0", "1000"), calendars)
def test_a_rented_node_is_paid_for_every_hour_of_the_month(
    usd: Decimal, calendar: Calendar
) -> None:
    assert rented(usd).monthly(calendar) == usd * calendar.hours_per_month


@given(owned_nodes)
def test_what_is_written_off_and_the_residual_value_are_the_purchase_price(node: OwnedNode) -> None:
    months = node.amortisation_years * 12
    residual = node.purchase_price * node.residual_share
    total = node.amortisation() * months + residual
    assert total == pytest.approx(node.purchase_price, rel=_EXACT)


@given(owned_nodes, st.integers(1, 10))
def test_a_longer_life_lowers_the_monthly_cost_and_nothing_else_does_it(
    node: OwnedNode, years: int
) -> None:
    longer = replace(node, amortisation_years=node.amortisation_years + years)
    assert longer.amortisation() <= node.amortisation()
    assert longer.electricity(THIRTY_DAYS) == node.electricity(THIRTY_DAYS)


@given(owned_nodes, calendars)
def test_an_owned_node_costs_the_sum_of_its_parts(node: OwnedNode, calendar: Calendar) -> None:
    parts = node.amortisation() + node.electricity(calendar) + node.rack_and_support_per_month
    assert node.monthly(calendar) == parts
    assert parts >= node.rack_and_support_per_month


@given(owned_nodes)
def test_only_power_depends_on_the_length_of_the_month(node: OwnedNode) -> None:
    difference = node.monthly(CALENDAR_MONTH) - node.monthly(THIRTY_DAYS)
    power = node.electricity(CALENDAR_MONTH) - node.electricity(THIRTY_DAYS)
    assert difference == pytest.approx(power, abs=Decimal("1e-15"))


@given(owned_nodes, calendars)
def test_power_grows_in_step_with_draw_pue_and_price(node: OwnedNode, calendar: Calendar) -> None:
    twice = 2 * node.electricity(calendar)
    pue = node.power_usage_effectiveness
    for doubled in (
        replace(node, power_watts=node.power_watts * 2),
        replace(node, power_usage_effectiveness=pue * 2),
        replace(node, electricity_price_per_kwh=node.electricity_price_per_kwh * 2),
    ):
        assert doubled.electricity(calendar) == pytest.approx(twice, rel=_EXACT)


@pytest.mark.parametrize("calendar", [CALENDAR_MONTH, THIRTY_DAYS])
def test_a_kilowatt_at_a_dollar_costs_as_many_dollars_as_the_month_has_hours(
    calendar: Calendar,
) -> None:
    assert electricity_cost(1000, Decimal(1), Decimal(1), calendar) == calendar.hours_per_month
