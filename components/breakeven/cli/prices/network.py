"""Fetches prices for `breakeven prices refresh`, and reports progress and what was not changed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import typer
from rich.console import Console
from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn

from breakeven.catalog.importers.listing import Listing, Selection
from breakeven.cli.prices.table import summary
from breakeven.cli.progress.terminal import whole
from breakeven.errors import ExitCode, UserError
from breakeven.price_sources import api_tokens
from breakeven.price_sources.client import Client, FetchError, checked_base
from breakeven.price_sources.fetch_all import Fetching, Outcome
from breakeven.price_sources.registry import SOURCES


class NothingFetchedError(UserError):
    """No source returned a price."""


class SomeKeptError(UserError):
    """Some requested prices could not be fetched; all others were written."""

    exit_code = ExitCode.PRICE


@dataclass(frozen=True, slots=True)
class Fetched:
    """The result of fetching.

    Attributes:
        outcomes: Of every job.
        token_prices: Text of the file with token prices; empty if there are none.
        token_problem: Why there are none; empty if they were not requested.
    """

    outcomes: tuple[Outcome, ...]
    token_prices: str = ""
    token_problem: str = ""

    @property
    def listings(self) -> list[Listing]:
        """All fetched price lists."""
        return [outcome.listing for outcome in self.outcomes if outcome.listing]

    @property
    def kept(self) -> list[str]:
        """What was not changed, with the reason."""
        kept = [_said(outcome) for outcome in self.outcomes if outcome.is_kept]
        return [
            *kept,
            *([f"{api_tokens.TITLE}: {self.token_problem}"] if self.token_problem else []),
        ]

    def print_sources(self) -> None:
        """Prints the sources of prices, and substitutes."""
        for listing in self.listings:
            typer.echo(summary(listing))
        for outcome in self.outcomes:
            if outcome.instead:
                typer.echo(f"{_said(outcome)}. Used {outcome.instead} instead", err=True)

    def check_nothing_kept(self) -> None:
        """Ends with exit code 3 if requested prices were not updated.

        Raises:
            SomeKeptError: It names them.
        """
        if self.kept:
            head = "some prices could not be fetched and were not changed:"
            raise SomeKeptError("\n  ".join([head, *self.kept]))


def fetch(
    scope: Mapping[str, tuple[str, ...]],
    selection: Selection,
    source_urls: Sequence[str],
    *,
    tokens: bool,
) -> Fetched:
    """Fetches the prices of all regions.

    Args:
        scope: Regions by cloud.
        selection: Which prices to read.
        source_urls: NAME=URL of sources at other addresses.
        tokens: Whether to also fetch token prices of APIs.

    Raises:
        NothingFetchedError: No source returned a price.
        UserError: A source or its address is invalid.
    """
    bases = _bases(source_urls)
    now = datetime.now(tz=UTC)
    with _progress() as (on_job, on_bytes):
        client = Client(on_bytes=on_bytes)
        try:
            fetching = Fetching(
                selection=replace(selection, as_of=None),
                client=client,
                bases=bases,
                environment=os.environ,
                now=now,
                on_job=on_job,
            )
            found = Fetched(tuple(fetching.outcomes(scope)))
            if tokens:
                on_job(api_tokens.TITLE)
                found = _with_tokens(found, client, bases, now.date())
        finally:
            client.close()
    if not found.listings and not found.token_prices:
        lines = "\n  ".join(found.kept)
        msg = f"no prices were fetched, and nothing was changed.\n  {lines}"
        raise NothingFetchedError(msg)
    return found


def _with_tokens(found: Fetched, client: Client, bases: Mapping[str, str], day: date) -> Fetched:
    base = bases.get(api_tokens.NAME, api_tokens.BASE)
    try:
        return replace(found, token_prices=api_tokens.fetch(client, base, day))
    except FetchError as error:
        return replace(found, token_problem=str(error))


def _said(outcome: Outcome) -> str:
    who = f"{outcome.source.title}, " if outcome.source else ""
    return f"{who}{outcome.cloud} {', '.join(outcome.regions)}: {outcome.problem}"


def _bases(source_urls: Sequence[str]) -> dict[str, str]:
    bases = {}
    names = [*(source.name for source in SOURCES), api_tokens.NAME]
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
    """Shows what is being fetched, and the bytes received; without a terminal, one line each."""
    if not sys.stderr.isatty():
        yield lambda job: typer.echo(f"Fetching {job} …", err=True), lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn())
    with Progress(*columns, console=Console(file=whole(sys.stderr)), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield (
            lambda job: progress.reset(task, description=f"Fetching {job}", total=None),
            lambda count: progress.advance(task, count),
        )
