"""Judges one answer by the checks of its prompt.

`charts/evaluation/ask.py` loads this file by its path into the environment of inspect-ai, so it
imports nothing of this project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def failed_checks(
    checks: Mapping[str, Any], answer: str, calls: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Returns the checks that an answer fails. A judge is asked elsewhere.

    Args:
        checks: By kind: `exact`, `regex`, `json_schema`, `tool_call`.
        answer: Text of the answer, without reasoning.
        calls: Tool calls of the answer, each with `name` and `arguments`.
    """
    passes: dict[str, Callable[[], bool]] = {
        "exact": lambda: _is_one_of(checks["exact"], answer),
        "regex": lambda: re.search(checks["regex"], answer) is not None,
        "json_schema": lambda: _keeps(checks["json_schema"], answer),
        "tool_call": lambda: any(_is_call(checks["tool_call"], call) for call in calls),
    }
    return [kind for kind, holds in passes.items() if checks.get(kind) is not None and not holds()]


def _is_one_of(allowed: str | Sequence[str], answer: str) -> bool:
    texts = [allowed] if isinstance(allowed, str) else allowed
    return answer.strip() in {text.strip() for text in texts}


def _keeps(schema: Mapping[str, Any], answer: str) -> bool:
    from jsonschema import Draft202012Validator  # noqa: PLC0415  # only where a prompt asks for it

    text = answer.strip()
    # Models put JSON into a Markdown block, which clients remove.
    block = re.fullmatch(r"```(?:json)?\s*\n(.*?)\n?```", text, re.DOTALL)
    try:
        document = json.loads(block[1] if block else text)
    except ValueError:
        return False
    return bool(Draft202012Validator(schema).is_valid(document))


def _is_call(wanted: Mapping[str, Any], call: Mapping[str, Any]) -> bool:
    if call.get("name") != wanted["name"]:
        return False
    arguments = call.get("arguments")
    if not isinstance(arguments, Mapping):
        return False
    return all(
        name in arguments and arguments[name] == value
        for name, value in (wanted.get("arguments") or {}).items()
    )
