"""Lines of a bill as rows of a plain table: those of a stack's report and of any program."""

from __future__ import annotations

from rich.table import Table

from breakeven.cost.bill.line_item import LineItem
from breakeven.reports.text import text_table


def line_table(title: str) -> Table:
    """Returns an empty table under a title, with the columns of `add_line`."""
    table = text_table(title)
    table.add_column("Resource", ratio=1, overflow="fold")
    table.add_column("Quantity", justify="right")
    table.add_column("Unit", no_wrap=True)
    table.add_column("Unit price", justify="right", no_wrap=True)
    table.add_column("A month", justify="right", no_wrap=True)
    table.add_column("Price of", no_wrap=True)
    return table


def add_line(table: Table, line: LineItem) -> None:
    """Adds a row: what, how much, at which price in USD, USD a month, and the price's date."""
    table.add_row(
        line.item,
        f"{line.quantity:,.2f}",
        line.unit,
        *line.written_prices(),
        line.as_of.isoformat() if line.as_of else "stated",
    )
