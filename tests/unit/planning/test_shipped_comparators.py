"""The APIs that shipped stacks are compared with are served, and will be for a while."""

from __future__ import annotations

from datetime import date, timedelta

from breakeven.catalog.apis.findings import RetiresSoon
from breakeven.planning.demand import demand_of
from breakeven.planning.offline import read_stack
from breakeven.settings.files import stack_names
from tests.each import each

SHIPPED_ON = date(2026, 11, 30)
"""Raise it with every release, and give stacks whose comparators then retire another one."""

MARGIN = timedelta(days=60)


@each("stack", stack_names())
def test_comparators_of_shipped_stacks_are_served_for_sixty_days_more(stack: str) -> None:
    for model in read_stack(stack).models:
        demand, conflicts = demand_of(model, SHIPPED_ON)
        assert demand is not None
        assert not conflicts
        assert demand.apis.in_use.decides, demand.apis.in_use
        deciding = [price for price in demand.apis.hosted if price.decides]
        cheapest = sorted(deciding, key=lambda price: price.usd_per_request)[:1]
        for price in (demand.apis.in_use, *cheapest):
            for finding in price.findings:
                if isinstance(finding, RetiresSoon):
                    assert finding.on > SHIPPED_ON + MARGIN, finding
