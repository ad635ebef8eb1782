"""`breakeven estimate`: the cost of a stack file, without an engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import typer

from breakeven.cli.budget import check_budget
from breakeven.cli.completion import StackArgument
from breakeven.cli.output_format import Format, FormatOption
from breakeven.planning.offline import estimate_stack
from breakeven.reports.estimate_text import render


def estimate(
    stack: StackArgument,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Print the monthly cost of a stack.

    `pulumi preview` shows the same; this needs nothing but the stack file.

    Ends with 2 where the stack costs more than its pricing.budgetPerMonth, and with 3 where a price
    is missing or too old.

    Example: breakeven estimate aws-prod --format json
    """
    report = estimate_stack(stack, datetime.now(tz=UTC).date())
    if output_format is Format.JSON:
        # The models of that form take a while to build; a person's table needs none of them.
        from breakeven.reports.json_report import as_output  # noqa: PLC0415

        typer.echo(json.dumps(as_output(report), indent=2))
    else:
        typer.echo(render(report))
    check_budget(report)
