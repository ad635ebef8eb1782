"""`breakeven prices refresh`: updates the price book from the network or from files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from breakeven.catalog.importers.kinds import KINDS
from breakeven.catalog.importers.listing import Listing, Selection, SourceError
from breakeven.catalog.importers.merge import LARGE_PERCENT, Change, changes, merged
from breakeven.catalog.price_file import BookFile
from breakeven.cli.completion import complete_cloud, complete_place
from breakeven.cli.prices.book import book_for_command
from breakeven.cli.prices.from_files import listings_of_files
from breakeven.cli.prices.own_book import write_own
from breakeven.cli.prices.scope import places_of, scope
from breakeven.cli.prices.table import amount, plain_table, print_table
from breakeven.cli.prices.token_prices import save_token_prices
from breakeven.errors import UserError
from breakeven.settings.files import PRICES


class RefreshError(UserError):
    """The price book was not changed."""


def refresh(  # noqa: PLR0913, PLR0917  # the options of the command
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Read a price list instead of the network; repeat for more. See docs/prices.md.",
        ),
    ] = None,
    everything: Annotated[  # noqa: FBT002  # a switch of the command line
        bool,
        typer.Option("--all", help="Fetch every cloud and region of the price book."),
    ] = False,
    cloud: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLOUD",
            autocompletion=complete_cloud,
            help="Fetch this cloud only; repeat for more. With --from: cloud of files that do not "
            "name one.",
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLOUD/REGION",
            autocompletion=complete_place,
            help="Fetch this region instead of those of your stacks; repeat for more. With "
            "--from: add a region that is new to the price book.",
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            help="With --from: kind of the files, if it is not recognized: "
            f"{', '.join(k.name for k in KINDS)}."
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="With --from: date of files that do not state one."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder to write to instead of stacks/prices."),
    ] = None,
    accept_large_changes: Annotated[  # noqa: FBT002  # a switch of the command line
        bool,
        typer.Option(
            "--accept-large-changes",
            help=f"Accept changes of on-demand prices above {LARGE_PERCENT}%.",
        ),
    ] = False,
    source_url: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=URL",
            hidden=True,
            help="Fetch a source from another URL, such as a mirror.",
        ),
    ] = None,
) -> None:
    """Refresh prices and print what changed. Your own and private prices stay.

    Fetches the clouds and regions of your stacks. If a source fails, its prices stay as they are.
    Writes prices newer than the included price book to stacks/prices, one file per cloud.

    Exit codes: 1 if nothing was changed, 3 if some prices could not be fetched.

    Example: breakeven prices refresh
    """
    book = book_for_command(output)
    if files:
        _refuse(files="--from", all=everything, source_url=source_url)
        listings = _from_files(book, files, kind, as_of, cloud or [], region or [])
        if listings:
            _merge(book, listings, output, accept=accept_large_changes)
        return
    _refuse(files="the network", kind=kind, as_of=as_of)
    wanted = scope(book.regions, everything=everything, clouds=cloud or [], regions=region or [])
    # Imported late: the HTTP client takes a fifth of a second to import.
    from breakeven.cli.prices.network import fetch  # noqa: PLC0415

    found = fetch(wanted, Selection.of(book), source_url or [], tokens=not cloud and not region)
    found.print_sources()
    if found.listings:
        _merge(book, found.listings, output, accept=accept_large_changes)
    if found.token_prices:
        save_token_prices(output or PRICES, found.token_prices)
    found.check_nothing_kept()


def _refuse(files: str, **options: object) -> None:
    """Rejects options that have no effect."""
    for name, value in options.items():
        if value:
            msg = f"--{name.replace('_', '-')} has no effect with {files}. Omit it"
            raise RefreshError(msg)


def _from_files(  # noqa: PLR0913, PLR0917  # the options about files
    book: BookFile,
    files: Sequence[Path],
    kind: str | None,
    as_of: datetime | None,
    clouds: Sequence[str],
    regions: Sequence[str],
) -> list[Listing]:
    if len(clouds) > 1:
        msg = f"--cloud: found {', '.join(clouds)}. Allowed with --from: one cloud for all files"
        raise RefreshError(msg)
    places = places_of(regions)
    selection = Selection(
        book.shapes,
        book.regions | frozenset(places),
        as_of.date() if as_of else None,
        "".join(clouds),
    )
    try:
        return listings_of_files(files, kind, selection, places)
    except SourceError as error:
        msg = f"{error}. Nothing was changed"
        raise RefreshError(msg) from None


def _merge(
    book: BookFile, listings: Sequence[Listing], output: Path | None, *, accept: bool
) -> None:
    after = merged(book.prices, listings)
    found = changes(book.prices, after)
    confirmed = sum(
        1
        for name, price in after.items()
        if name in book.prices and price.as_of > book.prices[name].as_of
    )
    _print(found, confirmed, len(after))
    large = [change for change in found if change.large]
    if large and not accept:
        names = ", ".join(change.identifier for change in large)
        msg = (
            f"{len(large)} on-demand prices change by more than {LARGE_PERCENT}%: {names}. "
            "Nothing was changed. Check them, then add --accept-large-changes"
        )
        raise RefreshError(msg)
    for path in write_own(output or PRICES, after, found):
        typer.echo(f"Written: {path}")


def _print(found: Sequence[Change], confirmed: int, count: int) -> None:
    if found:
        table = plain_table()
        table.add_column("")
        table.add_column("Identifier", overflow="fold")
        for heading in ("Before", "Now", "Change"):
            table.add_column(heading, justify="right", no_wrap=True)
        for change in found:
            table.add_row(change.verb, change.identifier, *_amounts(change))
        print_table(table)
    verbs = [
        f"{sum(change.verb == verb for change in found)} {verb}"
        for verb in ("new", "changed", "gone")
    ]
    typer.echo(f"{', '.join(verbs)}; {confirmed} with a newer date; {count} prices in total")


def _amounts(change: Change) -> tuple[str, str, str]:
    percent = "" if change.percent is None else f"{change.percent:+.1f}%"
    return (
        amount(change.before) if change.before else "",
        amount(change.after) if change.after else "",
        f"{percent} !" if change.large else percent,
    )
