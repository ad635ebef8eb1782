"""Finds the columns of a log by the names that gateways and servers give them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from breakeven.traffic.files import Row

NEEDED = ("timestamp", "input", "output")
"""Fields that a request log must have."""

FIELDS = (*NEEDED, "cached", "model", "call", "spend")
"""All fields that a request log may have."""

CACHE_READ = ("cache_read_input_tokens", "cache_read_tokens", "prompt_cache_read_tokens")
CACHE_WRITTEN = (
    *("cache_creation_input_tokens", "cache_write_input_tokens", "cache_creation_tokens"),
    *("cache_write_tokens", "prompt_cache_write_tokens"),
)
TOTAL = ("total_tokens",)
"""Further columns next to input tokens, with the names that Anthropic, Bedrock and gateways use:
input read from a prompt cache, input written to it, and all tokens of the request."""

Getter = Callable[[Row], object]

_PUNCTUATION = re.compile(r"[^a-z0-9.]")


@dataclass(frozen=True, slots=True)
class Columns:
    """Possible column names of each field, most likely first.

    A dot leads into a JSON object: `usage.prompt_tokens`. Case and punctuation do not matter. In an
    export they are `fixed`: if one is missing, it is another kind of log.
    """

    timestamp: tuple[str, ...]
    input: tuple[str, ...]
    output: tuple[str, ...]
    cached: tuple[str, ...] = ()
    model: tuple[str, ...] = ("model",)
    call: tuple[str, ...] = ()
    spend: tuple[str, ...] = ()
    fixed: bool = False

    def stated(self, names: Mapping[str, str]) -> Columns:
        """Returns columns with the user's names for some fields."""
        own: dict[str, Any] = {field: (name,) for field, name in names.items()}
        return replace(self, **own)


USUAL = Columns(
    timestamp=(
        *("timestamp", "@timestamp", "created_at", "start_time", "startTime", "created"),
        *("requested_at", "request_timestamp", "logged_at", "datetime", "time", "ts"),
        *("TimeGenerated", "TimeGenerated [UTC]", "timestamp_ms", "time_ms", "arrival_time"),
        *("arrived_at", "timestamp_s", "request_time", "eventTime"),
    ),
    input=(
        *("input_tokens", "prompt_tokens", "context_tokens", "num_input_tokens"),
        *("num_prompt_tokens", "prompt_token_count", "input_token_count", "request_tokens"),
        *("input_length", "tokens_in", "usage.prompt_tokens", "usage.input_tokens"),
        *("response.usage.prompt_tokens", "response.usage.input_tokens"),
        *("usageMetadata.promptTokenCount", "tokens_prompt", "prompt_length", "prompt_len"),
        *("gen_ai.usage.input_tokens", "attributes.gen_ai.usage.input_tokens"),
    ),
    output=(
        *("output_tokens", "completion_tokens", "generated_tokens", "generation_tokens"),
        *("num_output_tokens", "num_generation_tokens", "completion_token_count"),
        *("output_token_count", "response_tokens", "output_length", "tokens_out"),
        *("usage.completion_tokens", "usage.output_tokens"),
        *("response.usage.completion_tokens", "response.usage.output_tokens"),
        *("usageMetadata.candidatesTokenCount", "tokens_completion", "output_len"),
        *("gen_ai.usage.output_tokens", "attributes.gen_ai.usage.output_tokens"),
    ),
    cached=(
        *("cached_tokens", "cached_input_tokens", "input_cached_tokens", "cached_prompt_tokens"),
        *("prompt_cached_tokens", "num_cached_tokens", "prompt_tokens_details.cached_tokens"),
        "usage.prompt_tokens_details.cached_tokens",
        "usage.input_tokens_details.cached_tokens",
        "response.usage.prompt_tokens_details.cached_tokens",
        *("usageMetadata.cachedContentTokenCount", "tokens_cached"),
        *("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cached_tokens"),
        "attributes.gen_ai.usage.cache_read.input_tokens",
    ),
    model=(
        *("model", "model_name", "modelId", "model_id", "request_model", "response_model"),
        *("gen_ai.request.model", "attributes.gen_ai.request.model", "response.model"),
        *("deployment", "deployment_name", "modelDeploymentName"),
    ),
    call=(
        *("call_type", "operation", "operation_name", "endpoint", "path", "request_path"),
        *("gen_ai.operation.name", "attributes.gen_ai.operation.name", "object", "url"),
    ),
    spend=("spend", "cost", "cost_usd", "total_cost", "cost_total", "usage.cost", "response_cost"),
)
"""OpenAI's, vLLM's and Gemini's names, and those of common gateways.

`cache_read_input_tokens` is not included, because it is not part of the input; see `CACHE_READ`.
"""


@lru_cache(maxsize=10_000)
def plain(name: str) -> str:
    """Returns a column's name without case and punctuation."""
    return _PUNCTUATION.sub("", name.lower())


@dataclass(frozen=True, slots=True)
class Found:
    """A column that was found.

    Attributes:
        name: Spelled as in the log, with dots into an object.
        get: Reads it from a row.
    """

    name: str
    get: Getter


def find_column(row: Row, names: tuple[str, ...]) -> Found | None:
    """Finds the first of the names in a header or JSON object."""
    known: Mapping[str, Found]
    if isinstance(row, dict):
        paths = reversed(list(_paths(row)))
        known = {plain(".".join(p)): Found(".".join(p), _from_object(p)) for p in paths}
    else:
        cells = reversed(list(enumerate(row or ())))
        known = {plain(cell): Found(cell, _from_list(index)) for index, cell in cells}
    return next((known[plain(name)] for name in names if plain(name) in known), None)


def optional_getter(row: Row, names: tuple[str, ...]) -> Getter:
    """Returns how to read an optional field; None if a header lacks it.

    JSON objects differ: a field that the first one lacks is searched in each, by its usual names.
    """
    found = find_column(row, names)
    if not isinstance(row, dict) or not names:
        return found.get if found else _nothing
    paths = [name.split(".") for name in names]
    first = found.get if found else _nothing

    def get(each: Row) -> object:
        value = first(each)
        if value is None:
            values = (follow(each, tuple(path)) for path in paths)
            value = next((other for other in values if other is not None), None)
        return value

    return get


def sibling_getter(row: Row, column: str, names: tuple[str, ...]) -> Getter:
    """Returns how to read a field next to another one, under any of several names.

    Args:
        row: The header, or a JSON object.
        column: Name of the other column, as the log spells it.
        names: Of the field, without the path to it.
    """
    parent, _, _ = column.rpartition(".")
    if not isinstance(row, dict):
        prefix = f"{parent}." if parent else ""
        return optional_getter(row, tuple(prefix + name for name in names))
    path = tuple(parent.split(".")) if parent else ()
    spellings = tuple(dict.fromkeys((*names, *map(_camel_case, names))))

    def get(each: Row) -> object:
        beside = follow(each, path)
        if isinstance(beside, dict):
            for name in spellings:
                if name in beside:
                    return beside[name]
        return None

    return get


def _camel_case(name: str) -> str:
    first, *words = name.split("_")
    return first + "".join(word.capitalize() for word in words)


def _nothing(_row: Row) -> None:
    return None


def _paths(value: Mapping[str, object], depth: int = 4) -> Iterator[tuple[str, ...]]:
    for key, inner in value.items():
        yield (key,)
        if isinstance(inner, dict) and depth > 1:
            yield from ((key, *path) for path in _paths(inner, depth - 1))


def _from_list(index: int) -> Getter:
    def get(row: Row) -> object:
        return row[index] if isinstance(row, list) and index < len(row) else None

    return get


def _from_object(path: tuple[str, ...]) -> Getter:
    if len(path) > 1:
        return lambda row: follow(row, path)
    [key] = path
    return lambda row: row.get(key) if isinstance(row, dict) else None


def follow(value: object, path: tuple[str, ...]) -> object:
    """Returns the value in a JSON object at a path of keys; None if there is none."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
