"""`breakeven simulate`: simulates the autoscaler during a stack's week."""

from __future__ import annotations

from typing import Annotated

import typer

from breakeven.cli.completion import StackArgument
from breakeven.cli.documents.writing import as_json
from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.cli.progress.waiting import waiting
from breakeven.cost.fleet.simulation.comparison import compare
from breakeven.errors import UserError
from breakeven.planning.fleet import configuration_of, interruptions_of
from breakeven.planning.offline import load_stack
from breakeven.reports.simulation import as_output, as_text
from breakeven.settings.stack import Stack


class ModelOptionError(UserError):
    """--model is not a model of the stack, or is omitted if there are several."""


def simulate(
    stack: StackArgument,
    *,
    model: Annotated[
        str | None,
        typer.Option(help="Name of the model, if the stack serves several."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed; `estimate` averages several.")] = 0,
    interruptions: Annotated[
        float | None,
        typer.Option(
            "--interruptions",
            min=0.0,
            max=730.0,
            metavar="COUNT",
            help="Spot interruptions of a node per month of 730 hours. Default: as in the stack.",
        ),
    ] = None,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Simulate a week of a stack in steps of 15 seconds.

    Also shows a plan with capacity for each hour's peak minute during the whole hour, and why the
    two differ. JSON contains every hour. `breakeven estimate` prices the nodes of this simulation:
    the mean of as many runs as make up 336 hours. That is seed 0 for a shape of two weeks, seeds 0
    and 1 for one week, and seeds 0 to 13 for one day.

    Example: breakeven simulate aws-prod --seed 2 --format json
    """
    loaded = load_stack(stack)
    number = _number(loaded.stack, stack, model)
    settings, assumptions = loaded.stack.models[number], loaded.assumptions.models[number]
    if interruptions is None:
        interruptions = interruptions_of(settings)
    configuration = configuration_of(
        settings, assumptions.load, assumptions.capacity, interruptions
    )
    with waiting("Simulating the week"):
        comparison = compare(assumptions, configuration, seed)
    if output_format is Format.JSON:
        typer.echo(as_json("simulate", as_output(comparison)))
    else:
        typer.echo(as_text(comparison))


def _number(stack: Stack, stack_name: str, name: str | None) -> int:
    """Returns the selected model of the stack."""
    names = [model.model.facts.name for model in stack.models]
    if name is None and len(names) == 1:
        return 0
    if name in names:
        return names.index(name)
    found = "not given, but the stack serves several models" if name is None else f'found "{name}"'
    msg = f"--model: {found}. Allowed with stack {stack_name}: {', '.join(names)}"
    raise ModelOptionError(msg)
