"""`breakeven prices refresh`: rebuilds the price book from price lists that a user can get."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from breakeven.catalog.importers.genai_release import release_note
from breakeven.catalog.importers.kinds import HEAD, KINDS, Kind, kind_of, read_listing
from breakeven.catalog.importers.listing import Listing, Selection, SourceError
from breakeven.catalog.importers.merge import LARGE_PERCENT, Change, changes, merged
from breakeven.catalog.price_file import BOOK_PATH, BookFile, book_text
from breakeven.cli.files import write_whole
from breakeven.cli.prices.book import book_for_command
from breakeven.cli.prices.table import amount, plain_table, print_table
from breakeven.errors import UserError

_REGION = re.compile(r"[a-z0-9-]+/[A-Za-z0-9-]+")


class RefreshError(UserError):
    """The price book was not rebuilt; it is as before."""


def refresh(  # noqa: PLR0913, PLR0917  # the options of the command
    files: Annotated[
        list[Path],
        typer.Option(
            "--from", metavar="FILE", help="A price list; repeat it for more. See docs/prices.md."
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            help=f"What the files are, if it is not recognised: {', '.join(k.name for k in KINDS)}."
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day on which files without a date were fetched."),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLOUD/REGION", help="Takes prices of a region that is new to the book."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Where the book is written, if not over the one in use.")
    ] = None,
    accept_large_changes: Annotated[  # noqa: FBT002  # a switch of the command line
        bool,
        typer.Option(
            "--accept-large-changes", help=f"Takes changes beyond {LARGE_PERCENT} percent as well."
        ),
    ] = False,
) -> None:
    """Rebuilds the price book from files and prints what changed. Own and private entries stay.

    Example: breakeven prices refresh --from zz_generated.pricing_aws.go --from prices.csv
    """
    book = book_for_command()
    selection = Selection.of(book, _regions(region or []), as_of.date() if as_of else None)
    try:
        listings = list(_read(files, _kind(kind), selection))
    except SourceError as error:
        msg = f"{error}. Nothing was changed"
        raise RefreshError(msg) from None
    if not listings:
        return
    after = merged(book.prices, listings)
    found = changes(book.prices, after)
    confirmed = sum(
        1
        for name, price in after.items()
        if name in book.prices and price.as_of > book.prices[name].as_of
    )
    _print(found, confirmed, len(after))
    large = [change for change in found if change.large]
    if large and not accept_large_changes:
        names = ", ".join(change.identifier for change in large)
        msg = (
            f"{len(large)} changes beyond {LARGE_PERCENT} percent: {names}. Nothing was changed. "
            "Look at them, then add --accept-large-changes"
        )
        raise RefreshError(msg)
    target = output or BOOK_PATH
    write_whole(target, book_text(BookFile(after, book.shapes)))
    typer.echo(f"Written: {target}")


def _kind(name: str | None) -> Kind | None:
    if name is None:
        return None
    for kind in KINDS:
        if kind.name == name:
            return kind
    msg = f'--kind: found "{name}". Allowed: {", ".join(kind.name for kind in KINDS)}'
    raise RefreshError(msg)


def _regions(names: Sequence[str]) -> list[tuple[str, str]]:
    for name in names:
        if not _REGION.fullmatch(name):
            msg = f'--region: found "{name}". Allowed: CLOUD/REGION, such as aws/eu-central-1'
            raise RefreshError(msg)
    return [(cloud, region) for cloud, _, region in (name.partition("/") for name in names)]


def _read(files: Sequence[Path], kind: Kind | None, selection: Selection) -> Iterator[Listing]:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for path in files:
            try:
                listing = _read_one(path, kind, selection, progress)
            except OSError as error:
                msg = f"--from {path}: {error.strerror or error}"
                raise SourceError(msg) from None
            if listing:
                _check_days(listing)
                days = {price.as_of.isoformat() for price in listing.prices}
                typer.echo(
                    f"{listing.name}: {listing.kind}, {len(listing.prices):,} prices "
                    f"of {' to '.join(sorted({min(days), max(days)}))}"
                )
                yield listing


def _read_one(
    path: Path, kind: Kind | None, selection: Selection, progress: Progress
) -> Listing | None:
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    if head.startswith(b"PK"):
        typer.echo(release_note(path))
        return None
    if not progress.console.is_terminal:
        progress.console.print(f"Reading {path.name}", highlight=False, markup=False)
    recognised = kind or kind_of(head.decode("utf-8-sig", errors="replace"), path.name)
    with progress.open(path, "r", encoding="utf-8-sig", description=f"Reading {path.name}") as text:
        return read_listing(text, path.name, recognised, selection)


def _check_days(listing: Listing) -> None:
    """Refuses prices of days to come: they would never be old, and win over all others."""
    today = datetime.now(tz=UTC).date()
    for price in listing.prices:
        if price.as_of > today:
            msg = (
                f"{listing.name}: {price.identifier} is of {price.as_of.isoformat()}; "
                f"allowed: a day up to today, {today.isoformat()}"
            )
            raise SourceError(msg)


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
    typer.echo(f"{', '.join(verbs)}; {confirmed} with a newer day; {count} prices in all")


def _amounts(change: Change) -> tuple[str, str, str]:
    percent = "" if change.percent is None else f"{change.percent:+.1f}%"
    return (
        amount(change.before) if change.before else "",
        amount(change.after) if change.after else "",
        f"{percent} !" if change.large else percent,
    )
