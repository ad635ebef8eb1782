"""`breakeven model FILE`: the contents of a config.json, and the model's requirements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from breakeven.catalog.configs.fields import ModelConfigError
from breakeven.catalog.configs.reader import facts_from_config
from breakeven.catalog.gpus import Gpu, load_gpus
from breakeven.catalog.models import ModelFacts, load_models
from breakeven.cli.documents.writing import as_json
from breakeven.cli.options.output_format import Format, FormatOption
from breakeven.cost.capacity.memory_fit import GIB, memory_fit
from breakeven.cost.capacity.roofline import TENSOR_PARALLEL, Engine
from breakeven.errors import UserError
from breakeven.reports.text import drawn, text_table, wrapped

MEMORY_UTILIZATION = 0.9
"""Share of a GPU's memory that vLLM uses by default."""

_NAME = re.compile(r"(?:[\w.-]{1,96}/)?[\w.-]{1,96}", re.ASCII)

Fits: TypeAlias = Mapping[str, Mapping[str, int | None]]
"""How many GPUs hold a model, by GPU and precision; None if more than eight."""


class ModelError(UserError):
    """An invalid config.json or name."""


def inspect(
    config: Annotated[Path, typer.Argument(metavar="CONFIG_JSON", help="A model's config.json.")],
    *,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER/NAME", help="Repository of the weights. Default: the folder's name."
        ),
    ] = None,
    output_format: FormatOption = Format.TEXT,
) -> None:
    """Count the parameters and memory of a config.json.

    Also lists the GPUs that hold the model.

    Example: breakeven model inspect Qwen3-8B/config.json --name Qwen/Qwen3-8B
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
        typer.echo(as_json("model-inspect", _as_json(facts, fits)))
    else:
        typer.echo(_as_text(facts, fits), nl=False)


def _counts(facts: ModelFacts, gpu: Gpu) -> dict[str, int | None]:
    return {precision: _fewest(facts, gpu, precision) for precision in facts.precisions}


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


def _described(facts: ModelFacts) -> dict[str, object]:
    return {
        "name": facts.name,
        "repository": facts.repository,
        "architecture": facts.architecture,
        "is_estimated": facts.is_estimated,
        "parameters": facts.parameters,
        "active_parameters": facts.active_parameters,
        "full_precision_parameters": facts.full_precision_parameters,
        "draft_parameters": facts.draft_parameters,
        "parts": asdict(facts.parts),
        "layers": facts.layers,
        "hidden_size": facts.hidden_size,
        "attention_heads": facts.attention_heads,
        "key_value_heads": facts.key_value_heads,
        "max_model_length": facts.max_model_length,
        "groups": [asdict(group) for group in facts.groups],
        "checkpoint": asdict(facts.checkpoint),
        "source": facts.source,
    }


def _weights_gib(facts: ModelFacts) -> dict[str, float]:
    return {precision: facts.weight_bytes(precision) / GIB for precision in facts.precisions}


def _request_gib(facts: ModelFacts) -> float:
    return facts.request_bytes(facts.max_model_length) / GIB


def _as_json(facts: ModelFacts, fits: Fits) -> dict[str, object]:
    return {
        "model": _described(facts),
        "weightsGib": {name: round(gib, 3) for name, gib in _weights_gib(facts).items()},
        "keyValueBytesPerToken": round(facts.cache_bytes_per_token()),
        "stateBytesPerRequest": facts.state_bytes,
        "longestRequestGib": round(_request_gib(facts), 3),
        "gpuMemoryUtilization": MEMORY_UTILIZATION,
        "gpusNeeded": fits,
    }


def _as_text(facts: ModelFacts, fits: Fits) -> str:
    return (
        _facts_table(facts)
        + _groups_table(facts)
        + _memory_table(facts, fits)
        + "\n"
        + wrapped(_advice(facts))
        + "\n"
    )


def _facts_table(facts: ModelFacts) -> str:
    table = text_table(f"{facts.repository}: {facts.source}")
    table.add_column("Fact")
    table.add_column("Value", justify="right")
    for label, value in (
        ("Parameters", facts.parameters),
        ("Active parameters per token", facts.active_parameters),
        ("Parameters of experts", facts.parts.experts),
        ("Parameters of the image or audio encoder", facts.parts.tower),
        ("Parameters of the draft head, not included above", facts.draft_parameters),
        ("Layers", facts.layers),
        ("Hidden size", facts.hidden_size),
        ("Longest request, tokens", facts.max_model_length),
        ("Cache per token, bytes (bf16)", round(facts.cache_bytes_per_token())),
        ("State per request, bytes", facts.state_bytes),
    ):
        table.add_row(label, f"{value:,}")
    table.add_row("Weights stored in", _stored(facts))
    return drawn(table)


def _stored(facts: ModelFacts) -> str:
    checkpoint = facts.checkpoint
    if not checkpoint.method:
        return checkpoint.precision
    parts = ", ".join(
        f"{part.replace('_', ' ')} {precision}" for part, precision in checkpoint.parts.items()
    )
    if not parts:
        return f"{checkpoint.precision}; {checkpoint.method} changes no part"
    return f"{checkpoint.precision} by {checkpoint.method}: {parts}"


def _groups_table(facts: ModelFacts) -> str:
    table = text_table("Memory per request, by layer type")
    table.add_column("Cache")
    for head in ("Layers", "Heads", "KV heads", "Bytes per token", "Window", "Fixed bytes"):
        table.add_column(head, justify="right")
    for group in facts.groups:
        per_token = group.layers * group.cached_numbers * 2 / group.tokens_per_entry
        table.add_row(
            group.kind,
            str(group.layers),
            str(group.query_heads),
            str(group.key_value_heads),
            f"{per_token:,.0f}",
            f"{group.window:,}" if group.window else "-",
            f"{group.layers * group.state_bytes:,}" if group.state_bytes else "-",
        )
    return drawn(table)


def _memory_table(facts: ModelFacts, fits: Fits) -> str:
    table = text_table("Memory and GPUs needed")
    table.add_column("")
    for precision in facts.precisions:
        table.add_column(precision, justify="right")
    table.add_row("Weights, GiB", *(f"{gib:,.1f}" for gib in _weights_gib(facts).values()))
    for gpu, counts in fits.items():
        table.add_row(gpu, *("-" if count is None else str(count) for count in counts.values()))
    return drawn(table)


def _advice(facts: ModelFacts) -> list[str]:
    needed = (
        f"GPUs needed for the weights and one request of {facts.max_model_length:,} tokens "
        f"({_request_gib(facts):,.1f} GiB of cache), with {MEMORY_UTILIZATION:.0%} of the memory "
        "for vLLM. A dash means more than 8. A stack with a smaller model.maxLength can need fewer."
    )
    lines = [needed]
    if facts.is_estimated:
        lines.append(
            f"The architecture {facts.architecture} is unknown. Its layers are counted like "
            "those of most models, so the capacity has a wider error band. With the weights' "
            "index (model.safetensors.index.json) in the same folder, the parameter count is exact."
        )
    if "/" not in facts.repository:
        lines.append("Weights are loaded by repository. Name it with --name OWNER/NAME.")
    known = load_models().name_of(facts.repository)
    if known:
        lines.append(f"This model is a preset. To serve it, set model.name to {known}.")
    else:
        lines.append(
            "To serve it, run breakeven model add OWNER/NAME, with --config FILE if offline."
        )
    return lines
