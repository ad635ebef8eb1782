"""Checks one entry against a published JSON schema; its descriptions are what messages say.

Only what `data/prices.schema.json` uses: type, const, enum, pattern, minLength, minimum,
exclusiveMinimum, maximum, required, properties and additionalProperties. The tests compare it with
the package jsonschema, which is no dependency of this program.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeGuard


def _is_number(value: object) -> TypeGuard[int | float | Decimal]:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


_TYPES: Mapping[str, Callable[[object], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and Decimal(value).to_integral_value() == value,
}


def fault(value: object, schema: Mapping[str, Any]) -> str | None:
    """Says what is wrong with a value, first fault first.

    Args:
        value: As read from JSON.
        schema: A schema without references to others.

    Returns:
        What was found and what is allowed; None where nothing is wrong.
    """
    if not _fits(value, schema):
        return f"found {_shown(value)}; allowed: {schema['description']}"
    if not isinstance(value, dict):
        return None
    properties: Mapping[str, Mapping[str, Any]] = schema["properties"]
    for name in schema["required"]:
        if name not in value:
            return f"{name} is missing; needed: {properties[name]['description']}"
    for name, part in value.items():
        if name not in properties:
            return f'unknown field "{name}"; allowed: {", ".join(properties)}'
        found = fault(part, properties[name])
        if found:
            return f"{name}: {found}"
    return None


def _fits(value: object, schema: Mapping[str, Any]) -> bool:
    types = schema.get("type", [])
    allowed = [types] if isinstance(types, str) else types
    if allowed and not any(_TYPES[name](value) for name in allowed):
        return False
    # In JSON true is no number, but in Python it equals 1.
    if "const" in schema and (isinstance(value, bool) or value != schema["const"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, str):
        return len(value) >= schema.get("minLength", 0) and (
            "pattern" not in schema or re.fullmatch(schema["pattern"], value) is not None
        )
    if _is_number(value):
        return schema.get("minimum", value) <= value <= schema.get("maximum", value) and (
            "exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"]
        )
    return True


def _shown(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004  # a line's worth
