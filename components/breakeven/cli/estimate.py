"""`breakeven estimate`: the cost of a stack file, without an engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from breakeven.cli.budget import check_budget
from breakeven.cli.completion import complete_stack
from breakeven.cli.documents.writing import as_json
from breakeven.cli.init.options import (
    ApiOption,
    CachedOption,
    DataOption,
    GpuOption,
    InputOption,
    ModelOption,
    NodePriceOption,
    OutputOption,
    RegionOption,
    Stated,
    TokensOption,
    WhereOption,
)
from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.cost.report import Report
from breakeven.errors import UserError
from breakeven.planning.offline import load_stack
from breakeven.reports.estimate_text import render
from breakeven.reports.several_stacks import several_stacks_output, several_stacks_text
from breakeven.settings.files import stack_names


class WhatToEstimateError(UserError):
    """Neither a stack nor a workload is given, or both are."""


def estimate(  # noqa: PLR0913  # one parameter an option
    stacks: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names of stack files in stacks/, such as dev; several make one bill. Default: "
            "estimate what the options describe.",
            autocompletion=complete_stack,
        ),
    ] = None,
    *,
    model: ModelOption = None,
    where: WhereOption = None,
    region: RegionOption = None,
    gpu: GpuOption = None,
    tokens_per_day: TokensOption = None,
    input_tokens: InputOption = None,
    output_tokens: OutputOption = None,
    cached_input_percent: CachedOption = None,
    api: ApiOption = None,
    data_may_leave: DataOption = None,
    node_price: NodePriceOption = None,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Print the monthly cost of a stack, or of several together.

    Shows the same as `pulumi preview`, but only needs the stack file. For several stacks, prints
    one table with each total and the sum.

    Without a stack, the options describe the workload. The defaults of the other options are listed
    below the tables, with the `breakeven init` command that creates a stack file with these values.

    Exit codes: 2 if a stack costs more than its pricing.budgetPerMonth, 3 if a price is missing or
    stale.

    Example: breakeven estimate aws-prod hybrid --format json

    Example: breakeven estimate --model qwen3-32b --tokens-per-day 60M --api openai/gpt-4.1
    """
    stated = Stated(
        model=model,
        where=where,
        region=region,
        gpu=gpu,
        tokens_per_day=tokens_per_day,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_input_percent=cached_input_percent,
        api=api,
        data_may_leave=data_may_leave,
        node_price=node_price,
    )
    if not stacks:
        _print_first_answer(stated, output_format)
        return
    if not stated.is_empty:
        msg = (
            f"stack {stacks[0]} cannot be combined with {stated.command_line()}, which describe "
            "a workload without a stack file. Omit the stack or the options. To change the "
            f"stack, edit stacks/Pulumi.{stacks[0]}.yaml"
        )
        raise WhatToEstimateError(msg)
    _print_stacks(stacks, output_format)


def _print_first_answer(stated: Stated, output_format: Format) -> None:
    if stated.is_empty:
        known = stack_names()
        there = f" (available: {', '.join(known)})" if known else ""
        msg = (
            f"nothing to estimate. Name a stack{there}, or describe a workload: breakeven "
            "estimate --model qwen3-32b --tokens-per-day 60M"
        )
        raise WhatToEstimateError(msg)
    from breakeven.cli.init.first_answer import first_answer  # noqa: PLC0415  # not with a stack

    found = first_answer(stated, datetime.now(tz=UTC).date())
    _print_report(found.report, output_format)
    # Programs read stdout; the assumptions are for the user.
    typer.echo(found.text, err=output_format is Format.JSON)


def _print_stacks(stacks: list[str], output_format: Format) -> None:
    today = datetime.now(tz=UTC).date()
    loaded = [load_stack(stack, today) for stack in dict.fromkeys(stacks)]
    # The sum of several stacks shows no levers.
    reports = [each.report() if len(loaded) > 1 else each.report_with_levers() for each in loaded]
    if len(reports) > 1:
        _print_several(reports, output_format)
    else:
        _print_report(reports[0], output_format)
    for report in reports:
        check_budget(report)


def _print_report(report: Report, output_format: Format) -> None:
    if output_format is Format.JSON:
        # The models for JSON take a while to build; the table does not need them.
        from breakeven.reports.document.writing import as_output  # noqa: PLC0415

        typer.echo(json.dumps(as_output(report), indent=2))
    else:
        typer.echo(render(report))


def _print_several(reports: list[Report], output_format: Format) -> None:
    if output_format is Format.JSON:
        typer.echo(as_json("estimate-stacks", several_stacks_output(reports)))
    else:
        typer.echo(several_stacks_text(reports))
