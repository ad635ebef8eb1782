"""`breakeven report`: the cost of a stack as a document, for people or for other tools."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from breakeven.cli.budget import check_budget
from breakeven.cli.completion import StackArgument
from breakeven.cli.files import write_whole
from breakeven.cli.progress.waiting import waiting
from breakeven.cost.bill.registered import Registered
from breakeven.cost.report import Report
from breakeven.errors import UserError
from breakeven.planning.offline import load_stack
from breakeven.reports.document.writing import as_output
from breakeven.reports.focus import focus_csv, focus_document
from breakeven.reports.markdown import markdown
from breakeven.reports.page import page
from breakeven.reports.plots.tornado import tornado_of


class Format(StrEnum):
    """Report formats."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    FOCUS = "focus"
    FOCUS_CSV = "focus-csv"


class PlotsError(UserError):
    """The plotting package is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "the HTML report needs matplotlib, which is not installed. Run: pip install "
            "'breakeven[report]'; in a checkout: python3 tools/bootstrap setup --dev "
            "--packages. --format markdown and --interactive do not need it"
        )


class InteractiveError(UserError):
    """The format has no interactive form."""


def report(
    stack: StackArgument,
    *,
    output_format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="markdown: a comment on a pull request. html: one page with plots. json: all "
            "figures. focus, focus-csv: rows in the FOCUS 1.2 format.",
        ),
    ] = Format.MARKDOWN,
    interactive: Annotated[
        bool,
        typer.Option(
            "--interactive",
            help="With html: one file with controls for volume, machine and engineer share. "
            "Takes a minute, because every point is evaluated beforehand.",
        ),
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="File to write. Default: print the report.")
    ] = None,
) -> None:
    """Write the cost of a stack as a document.

    Exit codes: 2 if the stack costs more than its pricing.budgetPerMonth, 3 if a price
    is missing or stale.

    Example: breakeven report aws-prod --format html --output cost.html
    """
    today = datetime.now(tz=UTC).date()
    if interactive and output_format is not Format.HTML:
        msg = f"--interactive has no effect with --format {output_format}. Allowed: --format html"
        raise InteractiveError(msg)
    loaded = load_stack(stack, today)
    ledger = loaded.ledger()
    estimated = loaded.report_with_levers()
    if interactive:
        text = _interactive(stack, today)
    elif output_format is Format.HTML:
        with waiting("Drawing plots"):
            text = _page(estimated, ledger)
    else:
        text = _WRITERS[output_format](estimated)
    if output is None:
        typer.echo(text.rstrip("\n"))
    else:
        write_whole(output, text)
        typer.echo(f"Written: {output}", err=True)
    check_budget(estimated)


def _interactive(stack: str, today: date) -> str:
    from breakeven.cli.serve import explorer_of  # noqa: PLC0415  # of no use to other formats
    from breakeven.web.grid import interactive_page  # noqa: PLC0415  # likewise

    with waiting("Evaluating the grid"):
        found = interactive_page(explorer_of(stack, today))
    megabytes = len(found.html.encode()) / 1e6
    typer.echo(f"{found.points} points, {megabytes:.1f} MB", err=True)
    return found.html


def _page(estimated: Report, ledger: tuple[Registered, ...]) -> str:
    try:
        return page(estimated, tornado_of(estimated, ledger))
    except ModuleNotFoundError as error:
        raise PlotsError from error


def _json(estimated: Report) -> str:
    return json.dumps(as_output(estimated), indent=2)


def _focus(estimated: Report) -> str:
    return json.dumps(focus_document(estimated), indent=2)


_WRITERS: Mapping[Format, Callable[[Report], str]] = MappingProxyType(
    {
        Format.MARKDOWN: markdown,
        Format.JSON: _json,
        Format.FOCUS: _focus,
        Format.FOCUS_CSV: focus_csv,
    }
)
