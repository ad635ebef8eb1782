"""One line of the self-hosted bill, and what has no price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from breakeven.catalog.price import PRIVATE, Confidence, Price
from breakeven.cost.assumptions import Assumptions
from breakeven.formatting import to_cents, usd, usd_for_one

LineItemKind: TypeAlias = Literal[
    "busy-nodes",
    "idle-nodes",
    "data-centre",
    "root-volumes",
    "volume",
    "load-balancer",
    "control-plane",
    "cpu-nodes",
    "machine",
    "nat-gateway",
    "overflow",
    "people",
]
"""What a line pays for. "overflow" is what an API takes for requests that a gateway sends there;
"machine" is of a program that has nothing to do with models."""

_GROWS_WITH_NODES = frozenset({"busy-nodes", "idle-nodes", "data-centre", "root-volumes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """One line of the bill.

    Attributes:
        kind: What it pays for.
        identifier: Of the price: of the price book, or the setting that states it.
        item: The same in words.
        quantity: How much of it a month.
        unit: Unit of the quantity.
        unit_price: USD for one unit.
        source: Where the price comes from.
        as_of: Day on which the price held; None for a figure that the stack states.
        confidence: How sure it is.
        private: Whether reports leave its price and amount out; the total has them.
        model: The model that it is there for, where a stack has several; empty for all of them.
    """

    kind: LineItemKind
    identifier: str
    item: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    source: str
    as_of: date | None
    confidence: Confidence
    private: bool
    model: str = ""

    @property
    def monthly(self) -> Decimal:
        """USD a month, to the cent as on any bill, so that what is shown adds up."""
        return to_cents(self.quantity * self.unit_price)

    @property
    def grows_with_nodes(self) -> bool:
        """Whether it doubles with the number of GPU nodes."""
        return self.kind in _GROWS_WITH_NODES

    def written_prices(self) -> tuple[str, str]:
        """Returns unit price and USD a month as a report shows them."""
        if self.private:
            return PRIVATE, PRIVATE
        return usd_for_one(self.unit_price), usd(self.monthly)


@dataclass(frozen=True, slots=True)
class NotPriced:
    """A resource, or a part of the cluster, whose price is not known."""

    name: str
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """What the registered resources and the cluster cost.

    Attributes:
        lines: Everything with a price.
        without_charge: Resources that nothing is charged for, by name.
        not_priced: Resources whose price is not known.
    """

    lines: tuple[LineItem, ...]
    without_charge: tuple[str, ...]
    not_priced: tuple[NotPriced, ...]

    @property
    def monthly(self) -> Decimal:
        """USD a month."""
        return monthly_of(self.lines)


def line_item(
    kind: LineItemKind, item: str, quantity: Decimal, unit: str, price: Price
) -> LineItem:
    """Returns a line at a price."""
    return LineItem(
        kind=kind,
        identifier=price.identifier,
        item=item,
        quantity=quantity,
        unit=unit,
        unit_price=price.usd,
        source=price.source,
        as_of=None if price.confidence == "user" else price.as_of,
        confidence=price.confidence,
        private=price.private,
    )


def stated_price(
    setting: str, usd: Decimal, assumptions: Assumptions, source: str = "stack setting"
) -> Price:
    """Returns what a setting states as a price."""
    return Price(
        identifier=setting,
        usd=usd,
        unit="unit",
        source=source,
        as_of=assumptions.book.today,
        confidence="user",
    )


def monthly_of(lines: Iterable[LineItem]) -> Decimal:
    """Returns what lines cost together, in USD a month."""
    return sum((line.monthly for line in lines), Decimal(0))
