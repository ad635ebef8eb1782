"""`breakeven init`: your own stack file from a few answers."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from breakeven.catalog.configs.fields import ModelConfigError
from breakeven.catalog.models import ModelFacts, find_model, load_models
from breakeven.cli.completion import complete_gpu, complete_model, complete_region
from breakeven.cli.files import write_new
from breakeven.cli.gpu_option import require_gpu
from breakeven.cli.init.machines import require_region
from breakeven.cli.init.new_stack import text_of, values_of
from breakeven.cli.init.stack_answers import Answers, NewStackError, Where
from breakeven.cli.output_format import Format, FormatOption
from breakeven.counts import ALLOWED, read_count
from breakeven.errors import SettingsError, UserError
from breakeven.planning.notes import model_notes
from breakeven.reports.sentences.notes import note_sentence
from breakeven.settings.files import ROOT, with_settings
from breakeven.settings.own_models import own_facts, own_models
from breakeven.settings.parse import parse
from breakeven.suggestions import UnknownNameError

MOST_TOKENS = 10**13
"""Tokens a day beyond which a number is a slip."""


def _tokens(text: str) -> int:
    try:
        count = read_count(str(text))
    except ValueError:
        count = 0
    if not 1 <= count <= MOST_TOKENS:
        msg = f'found "{text}". Allowed: {ALLOWED}, up to {MOST_TOKENS:,}'
        raise typer.BadParameter(msg)
    return count


def init(  # noqa: PLR0913  # one parameter an option
    name: Annotated[str, typer.Argument(help="Name of the new stack, such as chat.")],
    *,
    model: Annotated[
        str | None,
        typer.Option(
            help="Model to serve; a name of the model table.", autocompletion=complete_model
        ),
    ] = None,
    where: Annotated[Where | None, typer.Option(help="Where the GPUs are.")] = None,
    region: Annotated[
        str | None,
        typer.Option(
            help="Region of the cloud, such as europe-west4.", autocompletion=complete_region
        ),
    ] = None,
    gpu: Annotated[
        str | None,
        typer.Option(
            help="GPU; without it the one that costs least for the peak; own servers: h100.",
            autocompletion=complete_gpu,
        ),
    ] = None,
    tokens_per_day: Annotated[
        int | None,
        typer.Option(
            parser=_tokens,
            metavar="TOKENS",
            help="Input and output tokens of a mean day, such as 60M, 5e7 or 60000000.",
        ),
    ] = None,
    api: Annotated[
        str | None, typer.Option(help="API that serves this now, as provider/model.")
    ] = None,
    data_may_leave: Annotated[
        bool | None,
        typer.Option("--data-may-leave/--data-stays", help="Whether prompts may go to an API."),
    ] = None,
    node_price: Annotated[
        int | None,
        typer.Option(min=1, max=10**8, help="Own servers: USD for one with eight GPUs, installed."),
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option(help="Commit of the weights; without it the one that another stack serves."),
    ] = None,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Create a stack file that can be previewed.

    Writes stacks/Pulumi.NAME.yaml and never overwrites one.

    What no option says is asked on a terminal, with a default that Enter takes; elsewhere the
    default is taken.

    Example: breakeven init chat --model llama-3.1-8b-instruct --where aws --tokens-per-day 20000000
    """
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", name):
        msg = (
            f'the name "{name}" can\'t be used. Allowed: lower-case letters, digits and hyphens, '
            "40 at the most, such as chat"
        )
        raise NewStackError(msg)
    [known] = parse({})[0].models
    wanted = model or _asked("Model to serve", known.model.name)
    place = where or _where(_asked("Where are the GPUs: aws, azure, gcp or own", str(Where.AWS)))
    facts = _checked(wanted, gpu, place, region)
    if tokens_per_day is None:
        tokens_per_day = _number("Tokens a day, input and output", known.traffic.tokens_per_day)
    if data_may_leave is None:
        data_may_leave = _yes("May prompts go to an API")
    in_use = api or _asked("API in use now", known.api.in_use)
    if place is Where.OWN and node_price is None and sys.stdin.isatty():
        node_price = typer.prompt("USD for one server with eight GPUs, installed", type=int)
    answers = Answers(
        name=name,
        model=facts,
        revision=revision or "",
        where=place,
        region=region or "",
        gpu=gpu or "",
        tokens_per_day=tokens_per_day,
        api=in_use,
        data_may_leave=data_may_leave,
        node_price=node_price,
    )
    try:
        values = values_of(answers, datetime.now(tz=UTC).date())
    except SettingsError as error:
        problems = "\n".join(f"  {problem}" for problem in error.problems)
        msg = f"no stack file was written; with these answers it could not be used:\n{problems}"
        raise NewStackError(msg) from error
    path = ROOT / "stacks" / f"Pulumi.{name}.yaml"
    write_new(path, text_of(answers, values))
    shown = path.relative_to(ROOT)
    if output_format is Format.JSON:
        typer.echo(json.dumps({"stack": name, "file": str(shown), "settings": values}, indent=2))
        return
    typer.echo(f"Written: {shown}")
    _print_notes(values)
    typer.echo(f"next:    breakeven estimate {name}     what it costs, in two seconds")
    typer.echo(f"         breakeven recommend {name}    what would cost less")
    typer.echo(f"         make preview STACK={name}     what would be made, and its cost")


def _print_notes(values: dict[str, object]) -> None:
    """Prints what the model asks of engine and GPU, as far as the stack does not have it."""
    [written] = parse(with_settings({}, values))[0].models
    for note in model_notes(written):
        typer.echo(f"note:    {note_sentence(note)}")


def _asked(question: str, default: str) -> str:
    """Returns the answer on a terminal; elsewhere, as with a mere Enter, the default."""
    if not sys.stdin.isatty():
        return default
    answer: str = typer.prompt(question, default=default, type=str)
    return answer


def _number(question: str, default: int) -> int:
    if not sys.stdin.isatty():
        return default
    answer: int = typer.prompt(question, default=default, type=int)
    return answer


def _yes(question: str) -> bool:
    return not sys.stdin.isatty() or typer.confirm(question, default=True)


def _where(name: str) -> Where:
    try:
        return Where(name)
    except ValueError:
        msg = f'--where: found "{name}". Allowed: {", ".join(Where)}'
        raise NewStackError(msg) from None


def _facts(name: str) -> ModelFacts:
    own = own_models().get(name)
    try:
        return find_model(name) if own is None else own_facts(own)
    except ModelConfigError as error:
        msg = f"--model: {error}"
        raise NewStackError(msg) from None
    except UnknownNameError as error:
        msg = (
            f"--model: {error}. docs/models.md lists {len(load_models())} presets; "
            "`breakeven model add OWNER/NAME` adds any other"
        )
        raise NewStackError(msg) from None


def _checked(name: str, gpu: str | None, where: Where, region: str | None) -> ModelFacts:
    """Returns the model that is asked for.

    Raises:
        UserError: Model, GPU or region are not known; all mistakes are named.
    """
    mistakes = []
    facts = None
    try:
        facts = _facts(name)
    except UserError as error:
        mistakes.append(error)
    try:
        if gpu is not None:
            require_gpu(gpu, parts=where is Where.OWN)
    except UserError as error:
        mistakes.append(error)
    try:
        if region and where is not Where.OWN:
            require_region(where, region)
    except UserError as error:
        mistakes.append(error)
    if len(mistakes) > 1:
        raise NewStackError("\n  ".join(["the answers have mistakes:", *map(str, mistakes)]))
    if mistakes or facts is None:
        raise mistakes[0]
    return facts
