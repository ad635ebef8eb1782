"""For other Pulumi programs: their cost at every preview, by one line.

import breakeven

breakeven.price_stack(cloud="aws", region="us-east-1")
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pulumi

from breakeven.catalog.price_book import PriceBook
from breakeven.cost.bill.charge import Context, Place
from breakeven.cost.bill.line_item import Infrastructure
from breakeven.cost.bill.pricing import makes_nodes, price_resources
from breakeven.reports.program_table import program_table
from breakeven.resources.ledger import Ledger

__all__ = ["Priced", "price_stack"]


@dataclass(frozen=True, slots=True)
class Priced:
    """A program whose registrations are counted.

    Attributes:
        stack: Its name.
        ledger: What was registered so far.
        book: Prices.
        place: Where it is.
    """

    stack: str
    ledger: Ledger
    book: PriceBook
    place: Place

    def infrastructure(self) -> Infrastructure:
        """Returns what is priced, free of charge and not priced, of all registered so far."""
        entries = self.ledger.entries()
        context = Context(self.place, has_nodes=makes_nodes(entries))
        return price_resources(entries, self.book, context)

    def text(self) -> str:
        """Returns the table of all that is registered so far."""
        return program_table(self.stack, self.infrastructure())


def price_stack(
    *,
    cloud: str = "aws",
    region: str = "us-east-1",
    prices: Mapping[str, str] | None = None,
    today: date | None = None,
) -> Priced:
    """Prints at the end of each preview the monthly cost of the program. Call it first.

    It sees every resource that is registered after it, those of components too, and changes none.

    Args:
        cloud: aws, azure or gcp.
        region: Of machines.
        prices: Your own prices, USD by identifier of the price book, such as
            {"volume/aws/gp3": "0.07"}; they win over it.
        today: Day from which the age of prices is counted; the present day if None.

    Returns:
        The count, for programs that do something with it themselves.

    Raises:
        ValueError: A price of your own is negative or no number, or its identifier has no unit.
    """
    own = {identifier: _usd(identifier, usd) for identifier, usd in (prices or {}).items()}
    day = today or datetime.now(tz=UTC).date()
    book = PriceBook.load(own, today=day, region=region)
    priced = Priced(pulumi.get_stack(), Ledger(), book, Place(cloud, region))
    priced.ledger.attach()
    if pulumi.runtime.is_dry_run():
        # After the last registration. The engine shows what a program prints under its stack.
        atexit.register(_show, priced)
    return priced


def _show(priced: Priced) -> None:
    print(priced.text())  # noqa: T201  # the engine shows it


def _usd(identifier: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        msg = f'{identifier}: found "{text}". Allowed: USD as a number, such as "0.07"'
        raise ValueError(msg) from None
