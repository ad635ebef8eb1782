"""`breakeven prices`: lists the price book, checks its age, and refreshes it."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Annotated

import typer

from breakeven.catalog.price import Price
from breakeven.catalog.price_regions import without_region
from breakeven.cli.documents.writing import as_json
from breakeven.cli.options.output_format import TableFormat, TableFormatOption, markdown_table
from breakeven.cli.prices.book import book_for_command
from breakeven.cli.prices.check import check
from breakeven.cli.prices.import_apis import import_apis
from breakeven.cli.prices.refresh import refresh
from breakeven.cli.prices.table import amount, plain_table, print_table
from breakeven.errors import UserError
from breakeven.suggestions import near_names, suggestion

prices = typer.Typer(
    name="prices",
    help="List, check and refresh the price book.\n\nExample: breakeven prices list g6e.xlarge",
    no_args_is_help=True,
)


class NoSuchPriceError(UserError):
    """No price in the book matches the pattern."""

    def __init__(self, pattern: str, near: tuple[str, ...]) -> None:
        super().__init__(
            f'no price in the book contains "{pattern}"{suggestion(near)}. To see all, run '
            "breakeven prices list; or give a part of an identifier or a pattern such as "
            "'node/aws/*/spot'"
        )


@prices.command("list")
def list_prices(
    pattern: Annotated[
        str,
        typer.Argument(help="Part of the identifier, or a pattern such as node/aws/*."),
    ] = "",
    output_format: TableFormatOption = TableFormat.TEXT,
) -> None:
    """List prices with their unit, date, and source.

    Example: breakeven prices list g6e.xlarge
    """
    book = book_for_command()
    found = [price for price in book.prices.values() if _fits(price.identifier, pattern)]
    if not found:
        raise NoSuchPriceError(
            pattern, near_names(pattern, {*book.prices, *map(without_region, book.prices)})
        )
    if output_format is TableFormat.JSON:
        typer.echo(as_json("prices-list", {"prices": [_entry(price) for price in found]}))
    elif output_format is TableFormat.MARKDOWN:
        typer.echo(
            markdown_table(("Identifier", "USD", "Unit", "Price as of", "Source"), map(_row, found))
        )
    else:
        _print(found)


prices.command()(check)
prices.command()(refresh)
prices.command()(import_apis)


def _fits(identifier: str, pattern: str) -> bool:
    if "*" in pattern:
        return fnmatchcase(identifier, pattern)
    return pattern.lower() in identifier.lower()


def _entry(price: Price) -> dict[str, object]:
    return {
        "identifier": price.identifier,
        "usd": None if price.private else f"{price.usd:f}",
        "unit": price.unit,
        "source": price.shown_source,
        "asOf": price.as_of.isoformat(),
        "private": price.private,
    }


def _row(price: Price) -> tuple[str, ...]:
    day = price.as_of.isoformat()
    return price.identifier, amount(price), price.unit, day, price.shown_source


def _print(found: Iterable[Price]) -> None:
    table = plain_table()
    table.add_column("Identifier", overflow="fold")
    table.add_column("USD", justify="right", no_wrap=True)
    table.add_column("Unit", no_wrap=True)
    table.add_column("As of", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    notes: dict[str, int] = {}
    for price in found:
        number = notes.setdefault(price.shown_source, len(notes) + 1)
        day = price.as_of.isoformat()
        table.add_row(price.identifier, amount(price), price.unit, day, f"[{number}]")
    print_table(table)
    typer.echo("")
    for source, number in notes.items():
        typer.echo(f"[{number}] {source}")
