"""`breakeven estimate`: the cost of a stack file, without an engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import typer

from breakeven.cli.budget import check_budget
from breakeven.cli.completion import StacksArgument
from breakeven.cli.output_format import Format, FormatOption
from breakeven.cost.report import Report
from breakeven.planning.offline import load_stack
from breakeven.reports.estimate_text import render
from breakeven.reports.several_stacks import several_stacks_output, several_stacks_text


def estimate(
    stacks: StacksArgument,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Print the monthly cost of a stack, or of several together.

    `pulumi preview` shows the same; this needs nothing but the stack file. Several stacks are one
    table of their totals, with the sum.

    Ends with 2 where the stack costs more than its pricing.budgetPerMonth, and with 3 where a price
    is missing or too old.

    Example: breakeven estimate aws-prod hybrid --format json
    """
    today = datetime.now(tz=UTC).date()
    loaded = [load_stack(stack, today) for stack in dict.fromkeys(stacks)]
    # The sum of several stacks shows no levers.
    reports = [each.report() if len(loaded) > 1 else each.report_with_levers() for each in loaded]
    if len(reports) > 1:
        _print_several(reports, output_format)
    elif output_format is Format.JSON:
        # The models of that form take a while to build; a person's table needs none of them.
        from breakeven.reports.document.writing import as_output  # noqa: PLC0415

        typer.echo(json.dumps(as_output(reports[0]), indent=2))
    else:
        typer.echo(render(reports[0]))
    for report in reports:
        check_budget(report)


def _print_several(reports: list[Report], output_format: Format) -> None:
    if output_format is Format.JSON:
        typer.echo(json.dumps(several_stacks_output(reports), indent=2))
    else:
        typer.echo(several_stacks_text(reports))
