"""Flags and variables that a stack passes on to vLLM, and parsers of what a model answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from breakeven.catalog.engines import EngineRelease
from breakeven.settings.fields import Conflict, mapping_of, matching, refuse
from breakeven.suggestions import near_names, suggestion

AUTO, OFF = "auto", "off"

_FLAG = r"[a-z][a-z0-9-]*"
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"

OWNED: Mapping[str, str] = {
    "allowed-local-media-path": "",
    "allowed-media-domains": "",
    "api-key": "engine.apiKeySecret",
    "chat-template": "engine.chatTemplate",
    "chat-template-content-format": "",
    "config": "",
    "convert": "",
    "data-parallel-size": "engine.dataParallelAttention",
    "disable-fastapi-docs": "",
    "distributed-executor-backend": "engine.pipelineParallel",
    "enable-auto-tool-choice": "engine.toolCalling",
    "enable-expert-parallel": "engine.expertParallel",
    "enable-lora": "model.loraAdapters",
    "gpu-memory-utilization": "engine.gpuMemoryUtilization",
    "headless": "engine.pipelineParallel",
    "host": "",
    "kv-cache-dtype": "engine.kvCachePrecision",
    "kv-offloading-backend": "engine.kvOffloadGibibytes",
    "kv-offloading-size": "engine.kvOffloadGibibytes",
    "limit-mm-per-prompt": "model.imagesPerRequest",
    "load-format": "",
    "lora-modules": "model.loraAdapters",
    "master-addr": "engine.pipelineParallel",
    "max-lora-rank": "model.loraMaxRank",
    "max-loras": "model.loraAdapters",
    "max-model-len": "model.maxLength",
    "max-num-seqs": "engine.maxRequests",
    "middleware": "",
    "model": "model.name",
    "nnodes": "engine.pipelineParallel",
    "node-rank": "engine.pipelineParallel",
    "otlp-traces-endpoint": "monitoring.tracingEndpoint",
    "pipeline-parallel-size": "engine.pipelineParallel",
    "port": "",
    "quantization": "model.precision",
    "reasoning-parser": "engine.reasoning",
    "revision": "model.revision",
    "runner": "model.name",
    "served-model-name": "model.name",
    "shutdown-timeout": "engine.longestRequestSeconds",
    "speculative-config": "engine.speculation",
    "ssl-certfile": "network.tlsSecret",
    "ssl-keyfile": "network.tlsSecret",
    "tensor-parallel-size": "engine.tensorParallel",
    "tool-call-parser": "engine.toolCalling",
}
"""Flags that the kit sets, and by which setting; empty where no other value would work."""

_BATCHED_TOKENS = "max-num-batched-tokens"
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "K": 2**10, "M": 2**20, "G": 2**30}
"""Suffixes of vLLM's whole numbers (`human_readable_int` of its argument parser, 0.31)."""

_TRANSFER = "kv-transfer-config"
_ONE_SIDED = ("kv_producer", "kv_consumer")
"""Roles of replicas that only read prompts, or only write answers."""


def _arguments(value: object) -> Mapping[str, object]:
    names = {str(name).removeprefix("--"): item for name, item in mapping_of(value).items()}
    wrong = [name for name in names if re.fullmatch(_FLAG, name) is None]
    if wrong:
        refuse(
            f"found {', '.join(map(json.dumps, wrong))}",
            "Allowed: names of flags as vLLM writes them, such as max-num-seqs",
        )
    return {name: _argument(name, item) for name, item in names.items()}


def _argument(name: str, value: object) -> object:
    """Takes what one flag can have; numbers become text, as they were written."""
    if isinstance(value, bool) or value is None:
        return value is not False
    if isinstance(value, Mapping):
        return json.dumps(value, default=_plain, sort_keys=True)
    if isinstance(value, list | tuple):
        return tuple(str(_argument(name, item)) for item in value)
    text = str(value)
    if "\n" in text or not text:
        refuse(f"{name} has {json.dumps(text)}", "Allowed: one line that is not empty")
    return text


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(value)


def _variables(value: object) -> Mapping[str, str]:
    parsed = mapping_of(value)
    wrong = [
        str(name)
        for name, text in parsed.items()
        if re.fullmatch(_VARIABLE, str(name)) is None
        or not isinstance(text, str | int | Decimal)
        or isinstance(text, bool)
    ]
    if wrong:
        refuse(
            f"found {', '.join(map(json.dumps, wrong))}",
            "Allowed: names of environment variables, with strings as values",
        )
    return {str(name): str(text) for name, text in parsed.items()}


Arguments = Annotated[
    Mapping[str, Any],
    BeforeValidator(_arguments),
    WithJsonSchema({"type": "object", "propertyNames": {"pattern": f"^(--)?{_FLAG}$"}}),
]
"""Flags by name, without hyphens in front: True, False, a text, or several texts."""

Variables = Annotated[
    Mapping[str, str],
    BeforeValidator(_variables),
    WithJsonSchema({"type": "object", "propertyNames": {"pattern": f"^{_VARIABLE}$"}}),
]
"""Environment variables by name."""

Parser = Annotated[
    str, matching(r"[a-z0-9][a-z0-9_-]*", "auto, off, or the name of one of vLLM's parsers")
]


def as_flags(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yields flags as words of a command line.

    False becomes --no-NAME, as vLLM's own switches have it; several values follow their flag.
    """
    for name, value in arguments.items():
        if value is True:
            yield f"--{name}"
        elif value is False:
            yield f"--no-{name}"
        elif isinstance(value, tuple):
            yield f"--{name}"
            yield from value
        else:
            yield f"--{name}={value}"


def argument_conflicts(
    arguments: Mapping[str, Any], version: tuple[int, ...], release: EngineRelease
) -> Iterator[Conflict]:
    """Yields flags that the kit sets by itself, and those that the version of vLLM does not have.

    Args:
        arguments: Flags by name.
        version: Of vLLM.
        release: Whose flags are known and taken for those of the version.
    """
    for name in arguments:
        if name in OWNED:
            setting = OWNED[name]
            what = f"Set {setting} instead" if setting else "Leave it out: Breakeven depends on it"
            yield Conflict("engine.args", f"{name} is set by Breakeven", what)
        elif name == _TRANSFER and _role(arguments[name]) in _ONE_SIDED:
            yield Conflict(
                "engine.args",
                f"{name} with kv_role {_role(arguments[name])}: prefill or decode alone. Breakeven "
                "deploys no second group of replicas and no fast link between the two",
                "Leave it out: each replica does both, and engine.disaggregation estimates whether "
                "two groups would cost less; or use kv_role kv_both for a connector that stores "
                "the cache",
            )
        # A later release may have more flags; what is in none that is known is a slip.
        elif name not in release.flags and version == release.version:
            near = suggestion(near_names(name, release.flags))
            yield Conflict(
                "engine.args",
                f"vLLM {release} has no flag --{name}{near}",
                "`vllm serve --help=all` of that version lists them",
                ("engine.image",),
            )


def batched_tokens_of(arguments: Mapping[str, Any]) -> int | None:
    """Returns --max-num-batched-tokens; None if absent, or not a whole number over 0."""
    found = re.fullmatch(r"([0-9]{1,12})([kmgKMG]?)", str(arguments.get(_BATCHED_TOKENS, "")))
    return (int(found[1]) * _UNITS[found[2]] or None) if found else None


def step_conflicts(arguments: Mapping[str, Any], max_requests: int | None) -> Iterator[Conflict]:
    """Yields a number of tokens per engine step that vLLM does not start with.

    Args:
        arguments: Flags by name.
        max_requests: Requests that run at once, as stated; None for vLLM's default.
    """
    if _BATCHED_TOKENS not in arguments:
        return
    tokens = batched_tokens_of(arguments)
    if tokens is None:
        yield Conflict(
            "engine.args",
            f"{_BATCHED_TOKENS} is {json.dumps(arguments[_BATCHED_TOKENS])}",
            "Allowed: a whole number of 1 or more, such as 8192 or 8k",
        )
    elif max_requests is not None and tokens < max_requests:
        yield Conflict(
            "engine.args",
            f"{_BATCHED_TOKENS} {tokens:,} is less than engine.maxRequests {max_requests:,}: vLLM "
            "does not start, because each request gets one token per step",
            f"Allowed: {max_requests:,} or more; or lower engine.maxRequests",
            ("engine.maxRequests",),
        )


def _role(transfer: object) -> str:
    """Returns the role in a value of --kv-transfer-config; empty where it has none."""
    try:
        content = json.loads(str(transfer))
    except ValueError:
        return ""
    return str(content.get("kv_role", "")) if isinstance(content, dict) else ""


def parser_conflict(
    key: str, name: str, known: frozenset[str], release: EngineRelease
) -> Iterator[Conflict]:
    """Yields a parser that the version of vLLM does not have."""
    if name not in {AUTO, OFF} and name not in known:
        yield Conflict(
            key,
            f'vLLM {release} has no parser "{name}"{suggestion(near_names(name, known))}',
            f"Allowed: auto, off, {', '.join(sorted(known))}",
            ("engine.image",),
        )
