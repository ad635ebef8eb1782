"""The same stack in mode hybrid: what it would deploy besides, for whoever prices that option."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.charge import Driver
from breakeven.cost.bill.line_item import Infrastructure
from breakeven.cost.bill.registered import Registered


def as_hybrid(
    resources: Iterable[Registered], assumptions: Assumptions
) -> tuple[tuple[Registered, ...], Assumptions]:
    """Returns what a stack would register and rest on in mode hybrid; itself if it is in it.

    Args:
        resources: The ledger.
        assumptions: Of the stack.
    """
    ledger, added = tuple(resources), assumptions.hybrid_gateway
    if added is None:
        return ledger, assumptions
    cluster = replace(assumptions.cluster, gateway=added.pods)
    return (*ledger, *added.resources), replace(assumptions, cluster=cluster, overflows=True)


def usd_for_each_token_out(infrastructure: Infrastructure) -> Decimal:
    """Returns USD per month by which the way out charges one token a day that goes to an API.

    The API's own price is not in it.
    """
    lines = (*infrastructure.lines, *infrastructure.dormant)
    return sum(
        (
            line.usd_each
            for line in lines
            if line.driver is Driver.OVERFLOW and line.kind != "overflow"
        ),
        Decimal(0),
    )
