"""Line items as rows of a plain table: those of a stack's report and of any program."""

from __future__ import annotations

from rich.table import Table

from breakeven.cost.bill.line_item import LineItem
from breakeven.reports.sentences.line_items import item_name, item_prices
from breakeven.reports.text import text_table


def line_table(title: str) -> Table:
    """Returns an empty table under a title, with the columns of `add_line`."""
    table = text_table(title)
    table.add_column("Resource", ratio=1, overflow="fold")
    table.add_column("Quantity", justify="right")
    table.add_column("Unit", no_wrap=True)
    table.add_column("Unit price", justify="right", no_wrap=True)
    table.add_column("Monthly cost", justify="right", no_wrap=True)
    table.add_column("Price as of", no_wrap=True)
    return table


def add_line(table: Table, line: LineItem, whose: str = "") -> None:
    """Adds a row: what, how much, unit price and monthly cost in USD, and the price's date.

    Args:
        table: The table.
        line: The line item.
        whose: Before its name.
    """
    table.add_row(
        whose + item_name(line),
        f"{line.quantity:,.2f}",
        line.unit,
        *item_prices(line),
        line.as_of.isoformat() if line.as_of else "stated",
    )
