"""Inputs of a first estimate: the options that `breakeven init` and `estimate` share."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields
from typing import Annotated, TypeAlias

import typer

from breakeven.catalog.configs.fields import ModelConfigError
from breakeven.catalog.models import ModelFacts, find_model, load_models
from breakeven.cli.completion import complete_api, complete_gpu, complete_model, complete_region
from breakeven.cli.init.machines import require_region
from breakeven.cli.init.stack_answers import Answers, NewStackError, Where
from breakeven.cli.options.gpu import require_gpu
from breakeven.counts import ALLOWED, read_count
from breakeven.errors import UserError
from breakeven.settings.own_models import own_facts, own_models
from breakeven.settings.parse import parse
from breakeven.settings.traffic import TrafficSettings
from breakeven.suggestions import UnknownNameError

MOST_TOKENS = 10**13
"""Tokens per day above which a number is a typo."""

LONGEST = 1_000_000
"""Mean tokens of a request, as in the settings."""


def read_tokens(text: str, most: int = MOST_TOKENS) -> int:
    """Reads a number of tokens, such as 60M.

    Raises:
        typer.BadParameter: It is not one, or it is beyond the limit.
    """
    try:
        count = read_count(str(text))
    except ValueError:
        count = 0
    if not 1 <= count <= most:
        msg = f'found "{text}". Allowed: {ALLOWED}, up to {most:,}'
        raise typer.BadParameter(msg)
    return count


def _length(text: str) -> int:
    return read_tokens(text, LONGEST)


ModelOption: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Model to serve; see breakeven model list.", autocompletion=complete_model),
]
WhereOption: TypeAlias = Annotated[Where | None, typer.Option(help="Where the GPUs are.")]
RegionOption: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Region of the cloud, such as europe-west4.", autocompletion=complete_region),
]
GpuOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="GPU. Default: the one that serves the peak at the lowest cost; for own servers, "
        "h100.",
        autocompletion=complete_gpu,
    ),
]
TokensOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        parser=read_tokens,
        metavar="TOKENS",
        help="Input and output tokens of a mean day, such as 60M, 5e7 or 60000000.",
    ),
]
InputOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--input-tokens",
        parser=_length,
        metavar="TOKENS",
        help=f"Mean input of a request. Default: {TrafficSettings().input_tokens:,}.",
    ),
]
OutputOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--output-tokens",
        parser=_length,
        metavar="TOKENS",
        help=f"Mean output of a request. Default: {TrafficSettings().output_tokens:,}.",
    ),
]
CachedOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--cached-input-percent",
        min=0,
        max=95,
        help="Share of input tokens read from the prefix cache, in percent. Default: 0.",
    ),
]
ApiOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--api", help="API that serves this now, as provider/model.", autocompletion=complete_api
    ),
]
DataOption: TypeAlias = Annotated[
    bool | None,
    typer.Option("--data-may-leave/--data-stays", help="Whether prompts can be sent to an API."),
]
NodePriceOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        parser=lambda text: read_tokens(text, 10**8),
        metavar="USD",
        help="With --where own: price of one server with eight GPUs, installed, in USD.",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """The options; None if omitted. See `Answers`."""

    model: str | None = None
    where: Where | None = None
    region: str | None = None
    gpu: str | None = None
    tokens_per_day: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_percent: int | None = None
    api: str | None = None
    data_may_leave: bool | None = None
    node_price: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no option is given."""
        return all(getattr(self, field.name) is None for field in fields(self))

    def command_line(self) -> str:
        """Returns the options as they are typed."""
        words = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "data_may_leave":
                words += [] if value is None else ["--data-may-leave" if value else "--data-stays"]
            elif value is not None:
                words += ["--" + field.name.replace("_", "-"), str(value)]
        return shlex.join(words)

    def answers(self, name: str) -> Answers:
        """Returns the answers, with defaults for omitted options.

        Args:
            name: Of the stack.

        Raises:
            UserError: Model, GPU or region is unknown; all errors are named.
        """
        [known] = parse({})[0].models
        where = self.where or Where.AWS
        traffic = TrafficSettings()
        cached = self.cached_input_percent
        return Answers(
            name=name,
            model=checked_model(self.model or known.model.name, self.gpu, where, self.region),
            revision="",
            where=where,
            region=self.region or "",
            gpu=self.gpu or "",
            tokens_per_day=self.tokens_per_day or known.traffic.tokens_per_day,
            api=self.api or known.api.in_use,
            data_may_leave=self.data_may_leave is not False,
            node_price=self.node_price,
            input_tokens=self.input_tokens or traffic.input_tokens,
            output_tokens=self.output_tokens or traffic.output_tokens,
            cached_input_percent=traffic.cached_input_percent if cached is None else cached,
        )


def find_facts(name: str) -> ModelFacts:
    """Returns the facts of a preset, or of a model of the user's own.

    Raises:
        NewStackError: There is no such model, or its config.json cannot be read.
    """
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


def checked_model(name: str, gpu: str | None, where: Where, region: str | None) -> ModelFacts:
    """Returns the model that is asked for.

    Raises:
        UserError: Model, GPU or region is unknown; all errors are named.
    """
    mistakes = []
    facts = None
    try:
        facts = find_facts(name)
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
        raise NewStackError("\n  ".join(["invalid answers:", *map(str, mistakes)]))
    if mistakes or facts is None:
        raise mistakes[0]
    return facts
