"""`breakeven init`: creates a stack file from a few answers."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from breakeven.cli.documents.writing import as_json
from breakeven.cli.files import shown_path, write_new
from breakeven.cli.init.new_stack import text_of, values_of
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
    checked_model,
    find_facts,
    read_tokens,
)
from breakeven.cli.init.stack_answers import NewStackError, Where
from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.errors import SettingsError, UserError
from breakeven.planning.notes import model_notes
from breakeven.reports.sentences.notes import note_sentence
from breakeven.settings.files import PROJECT, stack_path, with_settings
from breakeven.settings.parse import parse


def init(  # noqa: PLR0913  # one parameter an option
    name: Annotated[str, typer.Argument(help="Name of the new stack, such as chat.")],
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
    revision: Annotated[
        str | None,
        typer.Option(help="Commit of the weights. Default: that of another stack with this model."),
    ] = None,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Create a stack file.

    Writes stacks/Pulumi.NAME.yaml and never overwrites one.

    Prompts for anything not given as an option; uses defaults when not run interactively.

    Your own servers need their price: breakeven init owned --model llama-3.3-70b-instruct
    --where own --gpu h100 --node-price 290000 --tokens-per-day 200M

    Example: breakeven init chat --model llama-3.1-8b-instruct --where aws --tokens-per-day 20000000
    """
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", name):
        msg = (
            f'invalid name "{name}". Allowed: lower-case letters, digits and hyphens, at most '
            "40, such as chat"
        )
        raise NewStackError(msg)
    [known] = parse({})[0].models
    wanted = model or _asked("Model to serve", known.model.name, _model)
    clouds = "Location of the GPUs: aws, azure, gcp or own"
    place = where or Where(_asked(clouds, str(Where.AWS), _place))
    checked_model(wanted, gpu, place, region)
    if tokens_per_day is None:
        tokens_per_day = _number("Tokens per day, input and output", known.traffic.tokens_per_day)
    if data_may_leave is None:
        data_may_leave = _yes("Can prompts be sent to an API")
    in_use = api or _asked("API in use now, as provider/model", known.api.in_use, str)
    if place is Where.OWN and node_price is None and sys.stdin.isatty():
        node_price = typer.prompt(
            "Price of one server with eight GPUs, installed, in USD", type=int
        )
    stated = Stated(
        model=wanted,
        where=place,
        region=region,
        gpu=gpu,
        tokens_per_day=tokens_per_day,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_input_percent=cached_input_percent,
        api=in_use,
        data_may_leave=data_may_leave,
        node_price=node_price,
    )
    answers = replace(stated.answers(name), revision=revision or "")
    try:
        values = values_of(answers, datetime.now(tz=UTC).date())
    except SettingsError as error:
        problems = "\n".join(f"  {problem}" for problem in error.problems)
        msg = f"no stack file was written, because it would be invalid:\n{problems}"
        raise NewStackError(msg) from error
    path = stack_path(name, PROJECT)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_new(path, text_of(answers, values))
    shown = shown_path(path)
    if output_format is Format.JSON:
        typer.echo(as_json("init", {"stack": name, "file": str(shown), "settings": values}))
        return
    typer.echo(f"Written: {shown}")
    _print_notes(values)
    typer.echo(f"next:    breakeven estimate {name}     print the cost, in two seconds")
    typer.echo(f"         breakeven recommend {name}    find cheaper configurations")
    if (PROJECT / "Makefile").is_file():
        typer.echo(f"         make preview STACK={name}     preview the resources and their cost")


def _print_notes(values: dict[str, object]) -> None:
    """Prints the model's requirements of engine and GPU that the stack does not meet."""
    [written] = parse(with_settings({}, values))[0].models
    for note in model_notes(written):
        typer.echo(f"note:    {note_sentence(note)}")


def _asked(question: str, default: str, read: Callable[[str], str]) -> str:
    """Returns the answer on a terminal; otherwise, and for Enter alone, the default.

    Args:
        question: The question, repeated until `read` accepts the answer.
        default: Its default.
        read: Checks an answer; raises typer.BadParameter if it is invalid.
    """
    if not sys.stdin.isatty():
        return default
    answer: str = typer.prompt(question, default=default, value_proc=read)
    return answer


def _model(name: str) -> str:
    try:
        find_facts(name)
    except UserError as error:
        raise typer.BadParameter(str(error)) from None
    return name


def _place(name: str) -> str:
    if name not in [*Where]:
        msg = f'found "{name}". Allowed: {", ".join(Where)}'
        raise typer.BadParameter(msg)
    return name


def _number(question: str, default: int) -> int:
    """Returns a number of tokens, as `_asked` returns a text."""
    if not sys.stdin.isatty():
        return default
    answer: int = typer.prompt(question, default=default, value_proc=read_tokens)
    return answer


def _yes(question: str) -> bool:
    return not sys.stdin.isatty() or typer.confirm(question, default=True)
