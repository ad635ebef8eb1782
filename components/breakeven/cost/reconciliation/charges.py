"""From exports of bills to observed figures: node-hours, their price, and every part of a month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from breakeven.bills.api_spend import ApiSpend
from breakeven.bills.charged import Charged, ChargedItem, cost_of
from breakeven.cost.calendar import Calendar
from breakeven.cost.reconciliation.observations import Observed, ObservedError
from breakeven.cost.reconciliation.parts import (
    Part,
    charged_part,
    hours_of,
    is_gpu,
    is_of_nodes,
    machine_names,
    names_machine,
)
from breakeven.money import to_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Rented:
    """The part of a stack's nodes that is on a cloud's bill.

    Attributes:
        machines: Machine types of the GPU nodes; empty if the stack states none.
        gpus: GPUs of a node; Google bills a node's GPUs one by one.
        is_billed: Whether nodes are on a bill at all; owned ones are not.
    """

    machines: Collection[str]
    gpus: int
    is_billed: bool


def from_bill(charged: Charged, rented: Rented, calendar: Calendar) -> Observed:
    """Reads the figures of a bill.

    Args:
        charged: What was charged to the stack.
        rented: Which of it are its GPU nodes.
        calendar: How long a month is.

    Raises:
        ObservedError: No GPU node is in it, or their unit is not a time.
    """
    monthly = calendar.hours_per_month / charged.hours
    sums: defaultdict[Part, Decimal] = defaultdict(Decimal)
    for item in charged.items:
        sums[charged_part(item, rented.machines)] += item.cost
    parts = {part: to_cents(cost * monthly) for part, cost in sums.items()}
    if not rented.is_billed:
        return Observed(parts=parts)
    hours = _node_hours(charged, rented)
    price = sums["nodes"] / hours
    return Observed(
        parts=parts,
        cost_per_month=sum(parts.values(), Decimal(0)),
        cost_covers="machines",
        mean_nodes=float(hours / charged.hours),
        node_price_per_hour=round(price, 6),
    )


def from_api_spend(spent: Sequence[ApiSpend], calendar: Calendar) -> Observed:
    """Reads what APIs took in a month; reports of several files are added up.

    Args:
        spent: One or more.
        calendar: How long a month is.
    """
    start, end = min(one.start for one in spent), max(one.end for one in spent)
    hours = Decimal(str((end - start).total_seconds())) / 3600
    usd = sum((one.usd for one in spent), Decimal(0))
    return Observed(api_per_month=to_cents(usd * calendar.hours_per_month / hours))


def _node_hours(charged: Charged, rented: Rented) -> Decimal:
    machines = rented.machines
    items = [item for item in charged.items if item.kind == "usage" and is_of_nodes(item, machines)]
    if not items or not cost_of(items):
        seen = machine_names(charged.items)
        found = f"machines {', '.join(seen)}" if seen else "no machine type that is known here"
        wanted = " or ".join(sorted(machines)) or "a GPU"
        msg = (
            f"{charged.name}: no charge for {wanted} in {charged.selected:,} rows; found {found}. "
            "Check --tag, or name the machine type of the GPU nodes: --node-type NAME"
        )
        raise ObservedError(msg)
    named = [item for item in items if names_machine(item, machines)]
    counted = [_hours(charged, item) for item in named or items if named or is_gpu(item)]
    hours = sum(counted, Decimal(0)) / (1 if named else rented.gpus)
    if not hours:
        msg = f"{charged.name}: the charges for GPU nodes state no hours. Export their quantity"
        raise ObservedError(msg)
    return hours


def _hours(charged: Charged, item: ChargedItem) -> Decimal:
    hours = hours_of(item)
    if hours is None:
        msg = (
            f"{charged.name}: {item.item} is charged by {item.unit or 'no unit'}, which is no "
            "time. Export the quantity in hours"
        )
        raise ObservedError(msg)
    return hours
