"""Fetches prices for `breakeven prices refresh`, shows progress, and says what stayed as it was."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn

from breakeven.catalog.importers.listing import Listing, Selection
from breakeven.cli.prices.table import summary
from breakeven.errors import ExitCode, UserError
from breakeven.price_sources.client import Client, FetchError, checked_base
from breakeven.price_sources.fetch_all import Fetching, Outcome
from breakeven.price_sources.registry import SOURCES


class NothingFetchedError(UserError):
    """No source gave a price."""


class SomeKeptError(UserError):
    """Some prices that were asked for could not be fetched; all others are written."""

    exit_code = ExitCode.PRICE


def fetched(
    scope: Mapping[str, tuple[str, ...]], selection: Selection, source_urls: Sequence[str]
) -> tuple[Outcome, ...]:
    """Fetches the prices of all regions.

    Args:
        scope: Regions by cloud.
        selection: Which prices are wanted.
        source_urls: NAME=URL of sources that are looked for elsewhere.

    Raises:
        NothingFetchedError: No source gave a price.
        UserError: A source or its address is not one.
    """
    bases = _bases(source_urls)
    with _progress() as (on_job, on_bytes):
        client = Client(on_bytes=on_bytes)
        try:
            fetching = Fetching(
                selection=replace(selection, as_of=None),
                client=client,
                bases=bases,
                environment=os.environ,
                now=datetime.now(tz=UTC),
                on_job=on_job,
            )
            outcomes = tuple(fetching.outcomes(scope))
        finally:
            client.close()
    if not any(outcome.listing for outcome in outcomes):
        lines = "\n  ".join(_said(outcome) for outcome in outcomes if outcome.problem)
        msg = f"no prices were fetched, and nothing was changed.\n  {lines}"
        raise NothingFetchedError(msg)
    return outcomes


def listings_of(outcomes: Sequence[Outcome]) -> list[Listing]:
    """Returns all that was fetched, and prints where it is from."""
    listings = [outcome.listing for outcome in outcomes if outcome.listing]
    for listing in listings:
        typer.echo(summary(listing))
    for outcome in outcomes:
        if outcome.instead:
            typer.echo(f"{_said(outcome)}. Used instead: {outcome.instead}", err=True)
    return listings


def check_all_fetched(outcomes: Sequence[Outcome]) -> None:
    """Ends with exit code 3 if prices that were asked for stay as they were.

    Raises:
        SomeKeptError: It names them.
    """
    kept = [_said(outcome) for outcome in outcomes if outcome.is_kept]
    if kept:
        msg = "\n  ".join(["some prices could not be fetched and stay as they were:", *kept])
        raise SomeKeptError(msg)


def _said(outcome: Outcome) -> str:
    who = f"{outcome.source.title}, " if outcome.source else ""
    return f"{who}{outcome.cloud} {', '.join(outcome.regions)}: {outcome.problem}"


def _bases(source_urls: Sequence[str]) -> dict[str, str]:
    bases = {}
    names = [source.name for source in SOURCES]
    for text in source_urls:
        name, _, url = text.partition("=")
        if name not in names:
            msg = f'--source-url: found "{name}". Allowed: NAME=URL with {", ".join(names)}'
            raise UserError(msg)
        try:
            bases[name] = checked_base(url)
        except FetchError as error:
            msg = f"--source-url {name}: {error}"
            raise UserError(msg) from None
    return bases


@contextmanager
def _progress() -> Iterator[tuple[Callable[[str], None], Callable[[int], None]]]:
    """Shows what is fetched and how many bytes came; elsewhere than on a terminal, a line each."""
    if not sys.stderr.isatty():
        yield lambda job: typer.echo(f"Fetching {job} …", err=True), lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield (
            lambda job: progress.reset(task, description=f"Fetching {job}", total=None),
            lambda count: progress.advance(task, count),
        )
