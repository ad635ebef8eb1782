"""One line item of a bill, and what has no price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from breakeven.catalog.price import Confidence, Price
from breakeven.cost.bill.charge import Charge, Driver, LineItemKind, UnpricedReason
from breakeven.cost.bill.node_cost import OwnedNode
from breakeven.money import to_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """One line item. Reports name it by its kind and facts.

    Attributes:
        kind: What it pays for.
        identifier: Of the price: of the price book, or the setting that states it.
        quantity: How much of it a month.
        unit: Unit of the quantity.
        unit_price: USD for one unit.
        source: Where the price comes from; empty for a stack setting.
        as_of: Day on which the price held; None for a figure that the stack states.
        confidence: How sure it is.
        private: Whether reports leave its price and amount out; the total has them.
        name: Name of the resource; empty for what no resource stands for.
        variant: As of a charge, like the attributes that follow.
        attached: Which volume of a machine.
        share: Busy, idle or engineer's share.
        count: Machines.
        model: The model that it is there for.
        node: The owned node that it is part of.
        on_cpus: Whether it is about nodes that serve on CPUs, without GPUs.
        driver: What the quantity grows with.
        each: Quantity for one unit of the driver.
    """

    kind: LineItemKind
    identifier: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    source: str
    as_of: date | None
    confidence: Confidence
    private: bool
    name: str = ""
    variant: str = ""
    attached: str = ""
    share: Decimal | None = None
    count: int = 0
    model: str = ""
    node: OwnedNode | None = None
    on_cpus: bool = False
    driver: Driver = Driver.NOTHING
    each: Decimal = Decimal(0)

    @property
    def monthly(self) -> Decimal:
        """USD per month, to the cent as on any bill, so that what is shown adds up."""
        return to_cents(self.quantity * self.unit_price)

    @property
    def key(self) -> str:
        """What is the same from month to month: kind, resource, volume and model, not shares."""
        parts = (self.kind, self.name, self.attached, self.model)
        return "/".join(part for part in parts if part)

    @property
    def usd_each(self) -> Decimal:
        """USD per month for one unit of the driver."""
        return self.each * self.unit_price

    @property
    def is_dormant(self) -> bool:
        """Whether the load of this stack causes none of it, though another would."""
        return bool(self.each) and not self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPriced:
    """A resource, or a part of the cluster, whose price is not known.

    Attributes:
        name: Name of the resource; empty for a part of the cluster.
        type: Its type token; of a part of the cluster the identifier of the price.
        reason: Why.
        detail: What the reason is about, such as the identifier of a missing price.
        attached: Which volume of a machine it is; empty for the resource itself.
    """

    name: str
    type: str
    reason: UnpricedReason
    detail: str = ""
    attached: str = ""


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """What registered resources and the cluster cost.

    Attributes:
        lines: Everything with a price.
        dormant: What has a price, and would be a line at another load.
        without_charge: Resources that nothing is charged for, by name.
        not_priced: Resources whose price is not known.
    """

    lines: tuple[LineItem, ...]
    without_charge: tuple[str, ...]
    not_priced: tuple[NotPriced, ...]
    dormant: tuple[LineItem, ...] = ()

    @property
    def monthly(self) -> Decimal:
        """USD per month."""
        return monthly_of(self.lines)


def line_item(charge: Charge, price: Price, name: str = "") -> LineItem:
    """Returns a charge at its price.

    Args:
        charge: What and how much.
        price: For one unit.
        name: Name of the resource; empty for what no resource stands for.
    """
    return LineItem(
        kind=charge.kind,
        identifier=price.identifier,
        quantity=charge.quantity,
        unit=charge.unit or price.unit,
        unit_price=price.usd,
        source=price.full_source,
        as_of=None if price.confidence == "user" else price.as_of,
        confidence=price.confidence,
        private=price.private,
        name=name,
        variant=charge.variant,
        attached=charge.attached,
        share=charge.share,
        count=charge.count,
        model=charge.model,
        node=charge.node,
        on_cpus=charge.on_cpus,
        driver=charge.driver,
        each=charge.each,
    )


def stated_price(setting: str, usd: Decimal, today: date) -> Price:
    """Returns what a setting states as a price."""
    return Price(
        identifier=setting,
        usd=usd,
        unit="unit",
        source="",
        as_of=today,
        confidence="user",
    )


def monthly_of(lines: Iterable[LineItem]) -> Decimal:
    """Returns what line items cost together, in USD per month."""
    return sum((line.monthly for line in lines), Decimal(0))
