"""Reads the price lists that `breakeven prices refresh --from` names."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from breakeven.catalog.clouds import CLOUDS
from breakeven.catalog.importers.genai_release import release_note
from breakeven.catalog.importers.gpuhunt import CLOUDS as GPUHUNT_CLOUDS
from breakeven.catalog.importers.kinds import HEAD, KINDS, Kind, kind_of, read_listing
from breakeven.catalog.importers.listing import Listing, Selection, SourceError
from breakeven.cli.prices.scope import Place
from breakeven.cli.prices.table import summary
from breakeven.cli.progress.terminal import whole


def listings_of_files(
    files: Sequence[Path], kind: str | None, selection: Selection, places: Sequence[Place]
) -> list[Listing]:
    """Reads files, and prints a summary of each.

    Args:
        files: Price lists, or a wheel of genai-prices, which adds no machine prices.
        kind: Name of their kind; None to detect it.
        selection: Which prices to read.
        places: Requested regions; each must be in one of the files.

    Raises:
        SourceError: A file is invalid, or a region is not in any file.
    """
    listings = list(_read(files, _kind(kind), selection))
    given = {tuple(price.identifier.split("/")[1:3]) for item in listings for price in item.prices}
    for place in places if listings else ():
        if place not in given:
            names = ", ".join(path.name for path in files)
            msg = f"{names}: found no price of a known machine type in {'/'.join(place)}"
            raise SourceError(msg)
    return listings


def _kind(name: str | None) -> Kind | None:
    if name is None:
        return None
    for kind in KINDS:
        if kind.name == name:
            return kind
    msg = f'--kind: found "{name}". Allowed: {", ".join(kind.name for kind in KINDS)}'
    raise SourceError(msg)


def _read(files: Sequence[Path], kind: Kind | None, selection: Selection) -> Iterator[Listing]:
    console = Console(file=whole(sys.stderr))
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        for path in files:
            try:
                listing = _read_one(path, kind, selection, progress)
            except OSError as error:
                msg = f"--from {path}: {error.strerror or error}"
                raise SourceError(msg) from None
            if listing:
                _check_days(listing)
                typer.echo(f"{summary(listing)}, read as {listing.kind}")
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
        return read_listing(text, path.name, recognised, _of_cloud(path, selection))


def _of_cloud(path: Path, selection: Selection) -> Selection:
    """Gets the cloud from a path such as lambda/vms.csv or nebius.csv, unless it is given."""
    for name in (path.parent.name, path.stem):
        if not selection.cloud and (name in CLOUDS or name in GPUHUNT_CLOUDS):
            return replace(selection, cloud=name)
    return selection


def _check_days(listing: Listing) -> None:
    """Rejects future dates: such prices would never be stale, and override all others."""
    today = datetime.now(tz=UTC).date()
    for price in listing.prices:
        if price.as_of > today:
            msg = (
                f"{listing.name}: {price.identifier} has the date {price.as_of.isoformat()}. "
                f"Allowed: dates up to today, {today.isoformat()}"
            )
            raise SourceError(msg)
