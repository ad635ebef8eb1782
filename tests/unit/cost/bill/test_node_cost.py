"""An owned node is written off, and draws power meanwhile."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cost.bill.node_cost import OwnedNode
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
    assert longer.kilowatt_hours(THIRTY_DAYS) == node.kilowatt_hours(THIRTY_DAYS)


@given(owned_nodes, calendars)
def test_power_grows_in_step_with_draw_and_pue(node: OwnedNode, calendar: Calendar) -> None:
    twice = 2 * node.kilowatt_hours(calendar)
    for doubled in (
        replace(node, power_watts=node.power_watts * 2),
        replace(node, power_usage_effectiveness=node.power_usage_effectiveness * 2),
    ):
        assert doubled.kilowatt_hours(calendar) == pytest.approx(twice, rel=_EXACT)


@pytest.mark.parametrize("calendar", [CALENDAR_MONTH, THIRTY_DAYS])
def test_a_kilowatt_takes_as_many_kilowatt_hours_as_the_month_has_hours(
    calendar: Calendar,
) -> None:
    assert owned_node(power_watts=1000).kilowatt_hours(calendar) == calendar.hours_per_month
