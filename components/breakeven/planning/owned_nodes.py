"""From settings to what an owned node costs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from breakeven.cost.bill.node_cost import OwnedNode, months_until
from breakeven.settings.costs.owned_nodes import OwnedNodeSettings
from breakeven.settings.stack import Stack


def owned_node(stack: Stack, today: date) -> OwnedNode:
    """Returns what an owned node of a stack costs.

    Args:
        stack: The stack.
        today: Day from which nodes that are already there are written off.
    """
    node = stack.pricing.owned
    return OwnedNode(
        purchase_price=node.purchase_price or Decimal(0),
        amortization_years=node.amortization_years,
        residual_share=Decimal(node.residual_percent) / 100,
        power_watts=node.power_watts,
        power_usage_effectiveness=node.power_usage_effectiveness,
        electricity_price_per_kwh=node.electricity_price_per_kwh or Decimal(0),
        rack_and_support_per_month=node.rack_and_support_per_node_month,
        gpus=stack.pool.gpus_per_node,
        idle_watts=node.idle_power_watts,
        capital_share=node.cost_of_capital_percent / 100,
        insurance_share=node.insurance_percent / 100,
        spares_share=node.spares_percent / 100,
        shared_price=node.shared_purchase_price,
        shared_watts=node.shared_power_watts,
        months_left=_months_left(node, today),
        book_value=node.book_value,
    )


def _months_left(node: OwnedNodeSettings, today: date) -> int | None:
    """Returns the months until nodes that are already there are written off."""
    if node.purchase_date is None:
        return None
    bought = node.purchase_date
    last_of_february = (bought.month, bought.day) == (2, 29)
    end = bought.replace(
        year=bought.year + node.amortization_years, day=28 if last_of_february else bought.day
    )
    return months_until(end, today)
