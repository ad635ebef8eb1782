"""`breakeven sensitivity`: how the cost of a stack depends on its inputs."""

from __future__ import annotations

from typing import Annotated

import typer

from breakeven.cli.completion import StackArgument
from breakeven.cli.documents.writing import as_json
from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.cli.progress.waiting import waiting
from breakeven.cost.sensitivity.monte_carlo import monte_carlo, tornado
from breakeven.cost.sensitivity.ranges import INPUTS, RangeError, default_ranges, parse_range
from breakeven.cost.sensitivity.scenario import ScenarioModel
from breakeven.errors import UserError
from breakeven.planning.offline import load_stack_of_one_model
from breakeven.reports.sensitivity import Sensitivity, as_output, as_text


class RangeOptionError(UserError):
    """--range is invalid."""

    def __init__(self, error: RangeError) -> None:
        super().__init__(f'--range: found "{error.found}". Allowed: {error.allowed}')


def sensitivity(
    stack: StackArgument,
    *,
    stated: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            metavar="INPUT=LOW:HIGH",
            help="Range of an input, in percent of the stack's own value; may be repeated. "
            f"Inputs: {', '.join(INPUTS)}.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 1,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Print P10, P50 and P90 of the cost of a stack.

    Also shows which input alone would flip the verdict.

    Inputs without --range have default ranges, which the first table shows.

    Example: breakeven sensitivity aws-prod --range tokens=80:200 --range capacity=95:105
    """
    loaded = load_stack_of_one_model(stack, "breakeven sensitivity")
    inputs = default_ranges(loaded.assumptions.capacity.error_percent)
    for text in stated or ():
        try:
            name, one = parse_range(text)
        except RangeError as error:
            raise RangeOptionError(error) from None
        inputs[name] = one
    with waiting("Sampling inputs"):
        varied = ScenarioModel(loaded.ledger(), loaded.assumptions)
        answer = Sensitivity(
            varied, inputs, monte_carlo(varied, inputs, seed), tornado(varied, inputs)
        )
    if output_format is Format.JSON:
        typer.echo(as_json("sensitivity", as_output(answer)))
    else:
        typer.echo(as_text(answer))
