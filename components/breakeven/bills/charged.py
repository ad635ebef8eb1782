"""Charges of a billing period, summed by item."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal


class BillError(Exception):
    """An invalid export; the message names the file, what was found, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedItem:
    """The sum of all charges for one thing.

    Attributes:
        kind: "usage", "unused" (a commitment that nothing used), "tax" or "credit".
        service: Of the provider, as the export names it.
        item: What was used: usage type, meter or SKU, with the machine type where it has one.
        unit: Of the quantity, in lower case; empty where the export states none.
        quantity: How much was used.
        cost: USD, with the provider's decimals; below 0 for credits.
    """

    kind: str
    service: str
    item: str
    unit: str
    quantity: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """What an export holds for one stack.

    Attributes:
        name: Of the file, for messages.
        format: How the kind of export is called.
        start: First moment that any row of the export covers, in UTC.
        end: Last moment that any row of the export covers, in UTC.
        items: Of the rows that carry the tags, largest cost first.
        rows: Rows of the whole export.
        selected: Rows that carry the tags.
        tagged: Whether rows were selected by tags; else all of them are.
    """

    name: str
    format: str
    start: datetime
    end: datetime
    items: tuple[ChargedItem, ...]
    rows: int
    selected: int
    tagged: bool

    @property
    def hours(self) -> Decimal:
        """Hours of the period."""
        return Decimal(str((self.end - self.start).total_seconds())) / 3600

    @property
    def cost(self) -> Decimal:
        """USD of all items."""
        return cost_of(self.items)


def together(parts: Sequence[Charged]) -> Charged:
    """Returns what several files of exports hold, one or more; their periods may differ.

    Raises:
        BillError: The period has a gap of a day or more, as where a file is missing.
    """
    ordered = sorted(parts, key=lambda part: part.start)
    end = ordered[0].end
    for part in ordered[1:]:
        if part.start - end >= timedelta(days=1):
            msg = (
                f"{part.name}: starts on {part.start.date()}, but no export covers the days from "
                f"{end.date()}. Add the exports of the months in between"
            )
            raise BillError(msg)
        end = max(end, part.end)
    return replace(
        ordered[0],
        name=", ".join(part.name for part in parts),
        format=", ".join(dict.fromkeys(part.format for part in parts)),
        end=end,
        items=tuple(item for part in parts for item in part.items),
        rows=sum(part.rows for part in parts),
        selected=sum(part.selected for part in parts),
    )


def cost_of(items: Iterable[ChargedItem]) -> Decimal:
    """Returns the sum of some items in USD."""
    return sum((item.cost for item in items), Decimal(0))
