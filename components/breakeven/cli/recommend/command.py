"""`breakeven recommend`: the cheapest configuration for a stack's model and traffic."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import typer

from breakeven.cli.completion import StackArgument, complete_gpu
from breakeven.cli.documents.writing import as_json
from breakeven.cli.options.gpu import require_gpu
from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.cli.progress.waiting import waiting
from breakeven.cli.recommend.search import Wishes, search_of
from breakeven.cost.optimizer.ranking import NothingFitsError
from breakeven.cost.optimizer.ranking import recommend as search_configurations
from breakeven.errors import UserError
from breakeven.planning.offline import load_stack_of_one_model
from breakeven.reports.optimizer import as_output, as_text
from breakeven.reports.sentences.optimizer import obstacle_sentences

MOST_MS = 3_600_000
"""An hour; a bound also rejects NaN."""


class NoConfigurationError(UserError):
    """No configuration meets the constraints."""

    def __init__(self, stack: str, reasons: tuple[str, ...]) -> None:
        lines = [f"no configuration serves stack {stack} within these constraints:"]
        lines += [f"  {number}. {reason}" for number, reason in enumerate(reasons, start=1)]
        lines.append(
            "Raise --latency-ms, --prefill-ms or --max-gpus, omit --gpu, or lower "
            f"model.maxLength in stacks/Pulumi.{stack}.yaml"
        )
        super().__init__("\n".join(lines))


def recommend(  # noqa: PLR0913  # one parameter an option
    stack: StackArgument,
    *,
    gpu: Annotated[
        list[str] | None,
        typer.Option(
            help="Compare only this GPU, such as l40s; may be repeated. Default: all.",
            autocompletion=complete_gpu,
        ),
    ] = None,
    max_gpus: Annotated[
        int, typer.Option(min=1, max=4096, help="Maximum number of GPUs at the peak.")
    ] = 64,
    latency_ms: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            max=MOST_MS,
            help="Maximum P95 inter-token latency. Default: traffic.interTokenLatencySeconds.",
        ),
    ] = None,
    prefill_ms: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            max=MOST_MS,
            help="Maximum P95 time to first token, excluding queueing. Default: "
            "traffic.timeToFirstTokenSeconds.",
        ),
    ] = None,
    commitment_percent: Annotated[
        float | None,
        typer.Option(min=0, max=95, help="Commitment discount (%) applied to always-on nodes."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="Configurations to show.")] = 10,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Rank configurations for the traffic of a stack.

    Compares GPUs, nodes, precisions, purchase options, autoscaling and hybrids.

    Rented nodes are those of the stack's cloud and region in the price book; they are compared with
    the stack's own node types or owned nodes. The rest of the bill stays as in the stack.

    Example: breakeven recommend aws-prod --latency-ms 30 --commitment-percent 30
    """
    for name in gpu or ():
        require_gpu(name)
    wishes = Wishes(
        gpus=tuple(gpu or ()),
        max_gpus=max_gpus,
        latency_ms=latency_ms,
        prefill_ms=prefill_ms,
        commitment_percent=None if commitment_percent is None else Decimal(str(commitment_percent)),
    )
    try:
        with waiting("Evaluating configurations"):
            answer = search_configurations(
                search_of(load_stack_of_one_model(stack, "breakeven recommend"), wishes)
            )
    except NothingFitsError as error:
        raise NoConfigurationError(stack, obstacle_sentences(error.obstacles)) from None
    if output_format is Format.JSON:
        typer.echo(as_json("recommend", as_output(answer, top)))
    else:
        typer.echo(as_text(answer, top))
