"""Plain text tables of the price commands, readable in a CI log."""

from __future__ import annotations

import io

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from breakeven.catalog.importers.listing import Listing
from breakeven.catalog.price import PRIVATE, Price
from breakeven.reports.formatting import rate
from breakeven.reports.text import columns

WIDTH = 100
"""Width of the longest identifier and its price."""


def plain_table() -> Table:
    """Returns an empty table without frame."""
    return Table(
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
        show_edge=False,
        header_style="",
    )


def amount(price: Price) -> str:
    """Returns USD per unit to six decimals, unless it is private."""
    return PRIVATE if price.private else rate(price.usd)


def summary(listing: Listing) -> str:
    """Returns how many prices a list has, and their dates."""
    days = sorted({price.as_of.isoformat() for price in listing.prices})
    count = len(listing.prices)
    prices = "1 price" if count == 1 else f"{count:,} prices"
    return f"{listing.name}: {prices} of {' to '.join(dict.fromkeys((days[0], days[-1])))}"


def print_table(table: Table) -> None:
    """Writes a table to standard output, without trailing spaces and without markup."""
    buffer = io.StringIO()
    console = Console(
        file=buffer, width=columns(WIDTH), no_color=True, color_system=None, markup=False
    )
    console.print(table)
    for line in buffer.getvalue().splitlines():
        typer.echo(line.rstrip())
