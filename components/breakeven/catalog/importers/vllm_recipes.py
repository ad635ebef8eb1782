"""Reads model files of vLLM's recipes, as JSON with one model a line, into this project's form.

The model files are YAML in github.com/vllm-project/recipes (Apache-2.0), folder models/. Facts are
kept: parsers, flags, versions, variants. Prose and install commands are not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_TEXT_TASKS = {"text", "multimodal", "embedding"}
_PRECISIONS = {"fp4": "nvfp4", "mxfp8": "fp8"}
_VENDORS = {"amd": "amd", "nvidia": "nvidia"}
_HOST = {"--host", "--port", "--served-model-name"}
_IN_OTHER_FIELDS = {"--trust-remote-code", "--enable-auto-tool-choice"}


class RecipeFileError(ValueError):
    """A line is not a recipe; the message names it."""


def read_recipes(text: str) -> list[dict[str, Any]]:
    """Returns the recipes of models that write text or embeddings, sorted by repository.

    Args:
        text: A JSON object a line.

    Raises:
        RecipeFileError: A line is not a recipe, or there is none.
    """
    found: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            if not _TEXT_TASKS & set(entry["meta"]["tasks"]):
                continue
            recipe = _recipe(entry)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            msg = f"line {number} is not a recipe ({type(error).__name__}: {error})"
            raise RecipeFileError(msg) from None
        found[recipe["repository"].lower()] = recipe
    if not found:
        msg = "no recipe of a model that writes text"
        raise RecipeFileError(msg)
    return [found[key] for key in sorted(found)]


def written(recipes: Iterable[Mapping[str, Any]], source: str) -> str:
    """Returns the text of `recipes.json`: one recipe a line, so that a change is a readable diff.

    Args:
        recipes: As `read_recipes` returns them.
        source: Where they are from, with date and license.
    """
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in recipes)
    return f'{{"source": {json.dumps(source)}, "recipes": [\n{lines}\n]}}\n'


def _recipe(entry: Mapping[str, Any]) -> dict[str, Any]:
    model, features = entry["model"], entry.get("features") or {}
    tools = _pairs(features.get("tool_calling", {}).get("args", []))
    reasoning = dict(_pairs(features.get("reasoning", {}).get("args", [])))
    speculative = dict(_pairs(features.get("spec_decoding", {}).get("args", [])))
    base = _pairs(model.get("base_args", []))
    by_vendor = {
        _VENDORS[name]: override
        for name, override in (entry.get("hardware_overrides") or {}).items()
        if name in _VENDORS
    }
    named = dict(tools)
    return _without_empty(
        {
            "repository": model["model_id"],
            "minimum_version": str(model["min_vllm_version"]),
            "updated": str(entry["meta"]["date_updated"]),
            "tool_call_parser": named.get("--tool-call-parser", ""),
            "reasoning_parser": reasoning.get("--reasoning-parser", ""),
            "chat_template": named.get("--chat-template", ""),
            "trust_remote_code": any(name == "--trust-remote-code" for name, _ in base),
            "arguments": _flat(base, without=_HOST | _IN_OTHER_FIELDS),
            "tool_arguments": _flat(
                tools, without={*_IN_OTHER_FIELDS, "--tool-call-parser", "--chat-template"}
            ),
            "speculative_config": speculative.get("--speculative-config", ""),
            "environment": _texts(model.get("base_env")),
            "vendor_arguments": {
                vendor: _flat(_pairs(override.get("extra_args", [])), without=_HOST)
                for vendor, override in by_vendor.items()
                if override.get("extra_args")
            },
            "vendor_environment": {
                vendor: _texts(override["extra_env"])
                for vendor, override in by_vendor.items()
                if override.get("extra_env")
            },
            "hardware": dict(sorted(_texts(entry["meta"].get("hardware")).items())),
            "variants": [_variant(each) for each in entry["variants"].values()],
        }
    )


def _variant(each: Mapping[str, Any]) -> dict[str, Any]:
    precision = str(each["precision"])
    return _without_empty(
        {
            "precision": _PRECISIONS.get(precision, precision),
            "repository": each.get("model_id", ""),
            "minimum_version": str(each.get("min_vllm_version", "")),
            "arguments": _flat(_pairs(each.get("extra_args", [])), without=_HOST),
            "environment": _texts(each.get("extra_env")),
        }
    )


def _pairs(arguments: Iterable[Any]) -> list[tuple[str, str]]:
    """Returns flags with their values; "" for a flag without one."""
    found: list[tuple[str, str]] = []
    for argument in map(str, arguments):
        if re.match(r"--?[a-z]", argument):
            name, _, value = argument.partition("=")
            found.append((name, value))
        elif found and not found[-1][1]:
            found[-1] = (found[-1][0], argument)
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {argument}")
    return found


def _flat(pairs: Iterable[tuple[str, str]], *, without: Iterable[str]) -> list[str]:
    left_out = set(without)
    return [f"{name}={value}" if value else name for name, value in pairs if name not in left_out]


def _texts(values: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in (values or {}).items()}


def _without_empty(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value not in ("", False, [], {})}
