"""A ledger that is priced once says of every week what the bill says."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.answers.escalation import Escalation
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.bill import bill_of
from breakeven.cost.bill.node_cost import OwnedNode
from breakeven.cost.bill.priced_ledger import PricedLedger
from breakeven.cost.fleet.plan import FleetWeek
from tests.unit.cost.builders import api, assumptions, pool, volume

LEDGER = (pool(), volume())
OWNED = OwnedNode(
    purchase_price=Decimal(250_000),
    amortization_years=4,
    residual_share=Decimal("0.1"),
    power_watts=6000,
    idle_watts=Decimal(900),
    power_usage_effectiveness=Decimal("1.4"),
    electricity_price_per_kwh=Decimal("0.12"),
    rack_and_support_per_month=Decimal(900),
    gpus=8,
)


def rented() -> Assumptions:
    base = assumptions()
    cluster = replace(
        base.cluster,
        control_plane="eks",
        nat_gateway_share=Decimal("0.5"),
        weights_class="efs",
        weights_gigabytes=Decimal("16.06"),
    )
    reserve = replace(base.staffing, contingency_share=Decimal("0.07"))
    return replace(base, cluster=cluster, staffing=reserve)


@st.composite
def weeks(draw: st.DrawFn) -> FleetWeek:
    share = st.floats(0.0, 1.0)
    return FleetWeek(
        mean_nodes=draw(st.floats(0.0, 70.0)),
        peak_replicas=draw(st.integers(1, 70)),
        busy_share=draw(share),
        unserved_share=draw(share),
        overflow_share=draw(share),
        node_starts_per_hour=draw(st.floats(0.0, 5.0)),
        replica_starts_per_hour=draw(st.floats(0.0, 5.0)),
    )


@pytest.mark.parametrize("kind", ["rented", "owned", "overflowing"])
@settings(max_examples=40)
@given(week=weeks())
def test_it_is_the_bill_to_the_cent(kind: str, week: FleetWeek) -> None:
    base = rented()
    if kind == "owned":
        base = replace(base, node=OWNED)
    elif kind == "overflowing":
        again = Escalation(share=Decimal("0.1"), api=api("test/large", "5"))
        base = replace(base, overflows=True, escalation=again)
    assert PricedLedger(LEDGER, base).total(week) == bill_of(LEDGER, week, base).total
