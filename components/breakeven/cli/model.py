"""`breakeven model`: what a model's config.json says, what it needs, and how to add it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from breakeven.catalog.config_fields import ModelConfigError
from breakeven.catalog.gpus import Gpu, load_gpus
from breakeven.catalog.model_config import facts_from_config
from breakeven.catalog.models import PRECISION_BYTES, ModelFacts, load_models
from breakeven.cli.output_format import Format, FormatOption
from breakeven.cost.capacity.memory_fit import GIB, memory_fit
from breakeven.cost.capacity.roofline import TENSOR_PARALLEL, Engine
from breakeven.errors import UserError
from breakeven.reports.text import drawn, text_table, wrapped

TABLE = "components/breakeven/catalog/data/models.json"
MEMORY_UTILIZATION = 0.9
"""Share of a GPU's memory that vLLM may use; its default."""

_NAME = re.compile(r"(?:[\w.-]{1,96}/)?[\w.-]{1,96}", re.ASCII)

Fits: TypeAlias = Mapping[str, Mapping[str, int | None]]
"""How many GPUs hold a model, by GPU and precision; None: not even eight."""


class ModelError(UserError):
    """A config.json or a name that can't be used."""


def model(
    config: Annotated[Path, typer.Argument(metavar="CONFIG_JSON", help="A model's config.json.")],
    *,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER/NAME", help="Repository of the weights; else the folder's name."
        ),
    ] = None,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Count the parameters and memory of a config.json.

    Also lists the GPUs that hold the model.

    Example: breakeven model Qwen3-8B/config.json --name Qwen/Qwen3-8B
    """
    wanted = config.absolute().parent.name if name is None else name
    if not _NAME.fullmatch(wanted):
        msg = (
            f'{"the folder" if name is None else "--name"} is "{wanted}". Allowed: letters, '
            "digits, dots, hyphens. Give the repository: --name OWNER/NAME"
        )
        raise ModelError(msg)
    try:
        facts = facts_from_config(config, name=wanted)
    except ModelConfigError as error:
        raise ModelError(str(error)) from None
    fits = {gpu.name: _counts(facts, gpu) for gpu in load_gpus().values()}
    if output_format is Format.JSON:
        typer.echo(json.dumps(_as_json(facts, fits), indent=2))
    else:
        typer.echo(_as_text(facts, fits), nl=False)


def _counts(facts: ModelFacts, gpu: Gpu) -> dict[str, int | None]:
    return {precision: _fewest(facts, gpu, precision) for precision in PRECISION_BYTES}


def _fewest(facts: ModelFacts, gpu: Gpu, precision: str) -> int | None:
    """Returns the fewest GPUs that hold the weights and one request of the longest length."""
    for count in TENSOR_PARALLEL:
        if (
            facts.splits_over(count)
            and memory_fit(
                Engine(model=facts, precision=precision, gpu=gpu, tensor_parallel=count),
                gpu_memory_utilization=MEMORY_UTILIZATION,
                max_model_length=facts.max_model_length,
                request_tokens=facts.max_model_length,
            ).fits
        ):
            return count
    return None


def _entry(facts: ModelFacts) -> dict[str, object]:
    """Returns the model as a line of the table has it: fields in its order."""
    entry: dict[str, object] = {
        "name": facts.name,
        "repository": facts.repository,
        "parameters": facts.parameters,
        "active_parameters": facts.active_parameters,
        "full_precision_parameters": facts.full_precision_parameters,
        "layers": facts.layers,
        "hidden_size": facts.hidden_size,
        "attention_heads": facts.attention_heads,
        "key_value_heads": facts.key_value_heads,
        "head_dim": facts.head_dim,
        "max_model_length": facts.max_model_length,
    }
    if facts.sliding_window_layers:
        entry["sliding_window"] = facts.sliding_window
        entry["sliding_window_layers"] = facts.sliding_window_layers
    if facts.fetches_vocabulary:
        entry["fetches_vocabulary"] = True
    return {**entry, "hosted": list(facts.hosted), "source": facts.source}


def _weights_gib(facts: ModelFacts) -> dict[str, float]:
    return {precision: facts.weight_bytes(precision) / GIB for precision in PRECISION_BYTES}


def _request_gib(facts: ModelFacts) -> float:
    return facts.key_value_bytes(facts.max_model_length) / GIB


def _as_json(facts: ModelFacts, fits: Fits) -> dict[str, object]:
    return {
        "model": _entry(facts),
        "weightsGib": {name: round(gib, 3) for name, gib in _weights_gib(facts).items()},
        "keyValueBytesPerToken": facts.key_value_bytes_per_token(),
        "longestRequestGib": round(_request_gib(facts), 3),
        "gpuMemoryUtilization": MEMORY_UTILIZATION,
        "gpusNeeded": fits,
    }


def _as_text(facts: ModelFacts, fits: Fits) -> str:
    return (
        _facts_table(facts)
        + _memory_table(facts, fits)
        + "\n"
        + wrapped(_advice(facts))
        + "\n"
        + json.dumps(_entry(facts))
        + "\n"
    )


def _facts_table(facts: ModelFacts) -> str:
    table = text_table(f"{facts.repository}: {facts.source}")
    table.add_column("Fact")
    table.add_column("Value", justify="right")
    for label, value in (
        ("Parameters", facts.parameters),
        ("Parameters that a token is multiplied with", facts.active_parameters),
        ("Parameters that stay in bf16 when quantised", facts.full_precision_parameters),
        ("Layers", facts.layers),
        ("Layers with a sliding window", facts.sliding_window_layers),
        ("Sliding window, tokens", facts.sliding_window),
        ("Width", facts.hidden_size),
        ("Query heads", facts.attention_heads),
        ("Key-value heads", facts.key_value_heads),
        ("Width of a head", facts.head_dim),
        ("Longest request, tokens", facts.max_model_length),
        ("Key-value cache of a token, bytes", facts.key_value_bytes_per_token()),
    ):
        table.add_row(label, f"{value:,}")
    return drawn(table)


def _memory_table(facts: ModelFacts, fits: Fits) -> str:
    table = text_table("Memory, and how many GPUs hold it")
    table.add_column("")
    for precision in PRECISION_BYTES:
        table.add_column(precision, justify="right")
    table.add_row("Weights, GiB", *(f"{gib:,.1f}" for gib in _weights_gib(facts).values()))
    for gpu, counts in fits.items():
        table.add_row(gpu, *("-" if count is None else str(count) for count in counts.values()))
    return drawn(table)


def _advice(facts: ModelFacts) -> list[str]:
    needed = (
        f"GPUs needed for the weights and one request of {facts.max_model_length:,} tokens "
        f"({_request_gib(facts):,.1f} GiB of cache), with {MEMORY_UTILIZATION:.0%} of the memory "
        "for vLLM; -: not with 8. A stack with a smaller model.maxLength may need less."
    )
    lines = [needed]
    if "/" not in facts.repository:
        lines.append("Weights are loaded by repository: give it with --name OWNER/NAME.")
    if facts.name in load_models():
        lines.append(f"{TABLE} has {facts.name} already; nothing is to be added.")
    else:
        lines.append(
            f"To use it in a stack, add this line to {TABLE}. In hosted may stand who sells it by "
            "API, as provider/model."
        )
    return lines
