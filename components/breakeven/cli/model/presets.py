"""`breakeven model list`: the presets, vLLM's requirements, and what is unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from breakeven.catalog.models import ModelFacts, load_models
from breakeven.catalog.recipes import find_recipe, version_text
from breakeven.cli.documents.writing import as_json
from breakeven.cli.options.output_format import TableFormat, TableFormatOption, markdown_table
from breakeven.errors import UserError
from breakeven.reports.text import drawn, text_table

PAGE = Path("docs/models.md")
"""The page with the table, between its markers; `make models` writes it."""

BEGIN, END = "<!-- presets -->", "<!-- end of presets -->"

_BILLION = 1_000_000_000
_THREE_FIGURES = 100
_NONE = "-"
_HEADS = (
    "Preset",
    "Parameters",
    "Stored as",
    "Weights",
    "Longest request",
    "Tool calls",
    "Reasoning",
    "vLLM from",
    "Offers",
    "Commit",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetRow:
    """A preset's row in the table.

    Attributes:
        name: Of the preset.
        family: Models of one publisher that share a name.
        repository: Of the weights.
        parameters: In 10^9, with the active ones if they are fewer.
        precision: Of the weights as stored.
        weight_gigabytes: Of the weights as stored, in 10^9 bytes.
        longest_request: In tokens.
        tool_call_parser: That vLLM needs; empty if no recipe names one.
        reasoning_parser: Likewise.
        minimum_version: Oldest vLLM; empty without a recipe.
        offers: API offers of the same model that are known.
        revision: Commit of the weights; empty if no source states one.
    """

    name: str
    family: str
    repository: str
    parameters: str
    precision: str
    weight_gigabytes: str
    longest_request: int
    tool_call_parser: str
    reasoning_parser: str
    minimum_version: str
    offers: int
    revision: str

    @property
    def missing(self) -> tuple[str, ...]:
        """What is unknown about it."""
        unknown = {
            "commit": not self.revision,
            "recipe": not self.minimum_version,
            "API offer": not self.offers,
        }
        return tuple(what for what, is_unknown in unknown.items() if is_unknown)


class NoSuchPresetError(UserError):
    """No preset contains the text in its name."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f'no preset contains "{text}". To see all, run breakeven model list; to add the '
            "model, run breakeven model add OWNER/NAME"
        )


def list_presets(
    text: Annotated[
        str, typer.Argument(help="Part of the name or the repository. Default: all.")
    ] = "",
    output_format: TableFormatOption = TableFormat.TEXT,
) -> None:
    """List the presets: sizes, vLLM's requirements, and what is unknown.

    Example: breakeven model list qwen3.6
    """
    found = [row for row in preset_rows() if text.lower() in f"{row.name} {row.repository}".lower()]
    if not found:
        raise NoSuchPresetError(text)
    if output_format is TableFormat.JSON:
        entries = [{**asdict(row), "missing": row.missing} for row in found]
        typer.echo(as_json("model-list", {"models": entries}))
    elif output_format is TableFormat.MARKDOWN:
        typer.echo(markdown(found))
    else:
        typer.echo(_text(found), nl=False)


def preset_rows() -> list[PresetRow]:
    """Returns a row for each preset, sorted by family and name."""
    rows = (_row(model) for model in load_models().values())
    return sorted(rows, key=lambda row: (row.family, row.name))


def markdown(rows: Iterable[PresetRow]) -> str:
    """Returns the tables of all families, and counts of what is unknown."""
    rows = list(rows)
    families = len({row.family for row in rows})
    counts = f"{len(rows)} presets of {families} families."
    what = "Active parameters are in parentheses. Parsers and versions come from vLLM's recipes."
    parts = [f"{counts} {what}", ""]
    for family, members in groupby(rows, key=lambda row: row.family):
        parts += [f"**{family}**", "", markdown_table(_HEADS, map(_cells, members)), ""]
    return "\n".join([*parts, *_missing(rows)])


def page(text: str) -> str:
    """Returns the page with the current tables between its markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{markdown(preset_rows())}\n\n{END}{after}"


def _row(model: ModelFacts) -> PresetRow:
    recipe = find_recipe(model.repository)
    version = version_text(recipe.oldest_version(model.repository)) if recipe else ""
    active = model.active_parameters < model.parameters
    precision = model.checkpoint.precision
    return PresetRow(
        name=model.name,
        family=_family(model.name),
        repository=model.repository,
        parameters=f"{_billions(model.parameters)}B"
        + (f" ({_billions(model.active_parameters)}B)" if active else ""),
        precision=precision,
        weight_gigabytes=_billions(model.weight_bytes(precision)),
        longest_request=model.max_model_length,
        tool_call_parser=recipe.tool_call_parser if recipe else "",
        reasoning_parser=recipe.reasoning_parser if recipe else "",
        minimum_version=version,
        offers=len(model.hosted),
        revision=model.revision,
    )


def _billions(amount: float) -> str:
    """Returns an amount in 10^9 with three significant digits."""
    billions = amount / _BILLION
    return f"{billions:,.0f}" if billions >= _THREE_FIGURES else f"{billions:.3g}"


def _family(name: str) -> str:
    """Returns the name without version, size and kind: "qwen" of qwen3.6-27b."""
    if name.startswith("llama-3.3-nemotron"):
        return "nemotron"
    return "gpt-oss" if name.startswith("gpt-oss") else re.split(r"[-\d.]", name)[0]


def _cells(row: PresetRow) -> tuple[object, ...]:
    return (
        f"`{row.name}`",
        row.parameters,
        row.precision,
        f"{row.weight_gigabytes} GB",
        f"{row.longest_request:,}",
        row.tool_call_parser or _NONE,
        row.reasoning_parser or _NONE,
        row.minimum_version or _NONE,
        row.offers or _NONE,
        row.revision[:12] or _NONE,
    )


def _text(rows: Iterable[PresetRow]) -> str:
    table = text_table("Presets")
    for heading in (*_HEADS[:1], *_HEADS[1:5], "vLLM from", "Commit"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        cells = [str(cell) for cell in _cells(row)]
        table.add_row(row.name, *cells[1:5], cells[7], cells[9])
    return drawn(table)


def _missing(rows: list[PresetRow]) -> Iterator[str]:
    for what in ("commit", "recipe", "API offer"):
        names = [row.name for row in rows if what in row.missing]
        if names:
            listed = ", ".join(f"`{name}`" for name in names)
            yield f"Unknown {what} for {len(names)}: {listed}."
            yield ""


if __name__ == "__main__":  # make models
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
