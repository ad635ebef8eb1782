"""`breakeven simulate`: what the autoscaler makes of a stack's week."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from components.cost.week.comparison import compare
from components.cost.week.output import as_output, as_text
from components.fleet import configuration_of, interruptions_of
from components.offline import load_stack


class Format(StrEnum):
    """How the week is written."""

    TEXT = "text"
    JSON = "json"


def simulate(
    stack: Annotated[str, typer.Argument(help="Name of a stack file in stacks/, such as dev.")],
    *,
    seed: Annotated[int, typer.Option(min=0, help="Of the random numbers.")] = 1,
    interruptions: Annotated[
        float | None,
        typer.Option(
            "--interruptions",
            min=0.0,
            max=730.0,
            metavar="COUNT",
            help="Spot interruptions of a node in a month of 730 hours; default: the stack's.",
        ),
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="How the week is written.")
    ] = Format.TEXT,
) -> None:
    """Simulates every 15 seconds of a stack's week: requests, autoscaler, nodes, queueing.

    Beside it stands what `breakeven estimate` plans, and why the two differ. JSON has every hour.

    Example: breakeven simulate aws-prod --seed 2 --format json
    """
    loaded = load_stack(stack)
    settings, assumptions = loaded.settings, loaded.assumptions
    if interruptions is None:
        interruptions = interruptions_of(settings)
    configuration = configuration_of(
        settings, assumptions.load, assumptions.capacity, interruptions
    )
    comparison = compare(assumptions, configuration, seed)
    if output_format is Format.JSON:
        typer.echo(json.dumps(as_output(comparison), indent=2))
    else:
        typer.echo(as_text(comparison))
