"""`breakeven chargeback`: the whole bill, by team and model."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from breakeven.cli.chargeback.uses import uses_of_file, uses_of_prometheus
from breakeven.cli.completion import StackArgument
from breakeven.cli.documents.writing import as_json
from breakeven.cli.files import write_whole
from breakeven.cost.chargeback.statement import ChargebackError, Rule, statement
from breakeven.cost.reconciliation.observations import ObservedError
from breakeven.errors import UserError
from breakeven.planning.offline import load_stack
from breakeven.reports.chargeback import as_csv, as_output, as_page, as_text


class Format(StrEnum):
    """How statements are written."""

    TEXT = "text"
    CSV = "csv"
    HTML = "html"
    JSON = "json"


class Split(StrEnum):
    """How shared costs are split."""

    USED = "used"
    RESERVED = "reserved"
    EVEN = "even"


class StatementError(UserError):
    """The bill cannot be split."""


def chargeback(  # noqa: PLR0913  # one argument an option
    stack: StackArgument,
    *,
    usage: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Usage per team, as CSV with the columns team, tokens, and optionally model, to "
            "(own or api), and usd.",
        ),
    ] = None,
    prometheus: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Address of Prometheus, for the gateway's counters."),
    ] = None,
    days: Annotated[
        float, typer.Option(min=0.1, max=366, help="Number of past days to query in Prometheus.")
    ] = 30,
    split: Annotated[
        Split,
        typer.Option(
            help="How to split idle hours, staffing, and everything else: by tokens used, by "
            "tokens reserved in gateway.teams, or evenly."
        ),
    ] = Split.USED,
    total: Annotated[
        float | None,
        typer.Option(min=0, metavar="USD", help="Actual cost of the month. Default: the estimate."),
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="text, csv, html (one page) or json.")
    ] = Format.TEXT,
    output: Annotated[
        Path | None, typer.Option(help="File to write. Default: print the statements.")
    ] = None,
) -> None:
    """Split a stack's monthly cost among teams and models.

    The statements sum to the bill to the cent and include idle hours, staffing, and contingency.

    Example: breakeven chargeback hybrid --from usage.csv --format csv
    """
    if (usage is None) == (prometheus is None):
        msg = "give either --from FILE or --prometheus URL"
        raise StatementError(msg)
    loaded = load_stack(stack)
    settings = loaded.stack.models[0]
    reserved = {team: limits.tokens_per_day or 0 for team, limits in settings.gateway.teams.items()}
    rule: Rule = split.value
    try:
        uses = (
            uses_of_file(usage) if usage else uses_of_prometheus(prometheus or "", settings, days)
        )
        stated = None if total is None else Decimal(str(total))
        found = statement(loaded.report(), uses, rule, reserved=reserved, total=stated)
    except (ChargebackError, ObservedError) as error:
        raise StatementError(str(error)) from error
    text = {
        Format.TEXT: lambda: as_text(stack, found),
        Format.CSV: lambda: as_csv(stack, found),
        Format.HTML: lambda: as_page(stack, found),
        Format.JSON: lambda: as_json("chargeback", as_output(stack, found)),
    }[output_format]()
    if output is None:
        typer.echo(text.rstrip("\n"))
        return
    write_whole(output, text)
    typer.echo(f"Written: {output}", err=True)
