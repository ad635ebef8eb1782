"""Finds the columns of a log by the names that gateways and servers give them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from breakeven.traffic.files import Row

FIELDS = ("timestamp", "input", "output", "cached")
"""What a request log tells of each request; `cached` is optional."""

Getter = Callable[[Row], object]

_PUNCTUATION = re.compile(r"[^a-z0-9.]")


@dataclass(frozen=True, slots=True)
class Columns:
    """Names under which each field may stand, the likeliest first.

    A dot leads into a JSON object: `usage.prompt_tokens`. Case and punctuation do not matter. Of an
    export they are `fixed`: where they lack, it is another kind of log.
    """

    timestamp: tuple[str, ...]
    input: tuple[str, ...]
    output: tuple[str, ...]
    cached: tuple[str, ...] = ()
    fixed: bool = False

    def stated(self, names: Mapping[str, str]) -> Columns:
        """Returns columns of which some, by field, have the user's names."""
        own = {field: (name,) for field, name in names.items()}
        return Columns(
            timestamp=own.get("timestamp", self.timestamp),
            input=own.get("input", self.input),
            output=own.get("output", self.output),
            cached=own.get("cached", self.cached),
        )


USUAL = Columns(
    timestamp=(
        *("timestamp", "@timestamp", "created_at", "start_time", "startTime", "created"),
        *("requested_at", "request_timestamp", "logged_at", "datetime", "time", "ts"),
    ),
    input=(
        *("input_tokens", "prompt_tokens", "context_tokens", "num_input_tokens"),
        *("num_prompt_tokens", "prompt_token_count", "input_token_count", "request_tokens"),
        *("input_length", "tokens_in", "usage.prompt_tokens", "usage.input_tokens"),
        *("response.usage.prompt_tokens", "response.usage.input_tokens"),
        "usageMetadata.promptTokenCount",
    ),
    output=(
        *("output_tokens", "completion_tokens", "generated_tokens", "generation_tokens"),
        *("num_output_tokens", "num_generation_tokens", "completion_token_count"),
        *("output_token_count", "response_tokens", "output_length", "tokens_out"),
        *("usage.completion_tokens", "usage.output_tokens"),
        *("response.usage.completion_tokens", "response.usage.output_tokens"),
        "usageMetadata.candidatesTokenCount",
    ),
    cached=(
        *("cached_tokens", "cached_input_tokens", "input_cached_tokens", "cached_prompt_tokens"),
        *("prompt_cached_tokens", "num_cached_tokens", "prompt_tokens_details.cached_tokens"),
        "usage.prompt_tokens_details.cached_tokens",
        "usage.input_tokens_details.cached_tokens",
        "response.usage.prompt_tokens_details.cached_tokens",
        "usageMetadata.cachedContentTokenCount",
    ),
)
"""OpenAI's, vLLM's and Gemini's names, and those of common gateways.

Not among them is `cache_read_input_tokens`: beside it, Anthropic's `input_tokens` are the uncached
ones only, so that reading both would give a wrong sum.
"""


def plain(name: str) -> str:
    """Returns a column's name without case and punctuation."""
    return _PUNCTUATION.sub("", name.lower())


def find_getter(row: Row, names: tuple[str, ...]) -> Getter | None:
    """Finds the first of the names in a header or JSON object, and how to read it from a row."""
    known: Mapping[str, Getter]
    if isinstance(row, dict):
        known = {plain(".".join(path)): _from_object(path) for path in reversed(list(_paths(row)))}
    else:
        cells = list(enumerate(row or ()))
        known = {plain(cell): _from_list(index) for index, cell in reversed(cells)}
    return next((known[plain(name)] for name in names if plain(name) in known), None)


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
    return lambda row: follow(row, path)


def follow(value: object, path: tuple[str, ...]) -> object:
    """Returns what stands in a JSON object at a path of keys; None where there is nothing."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
