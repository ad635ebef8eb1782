"""Says in words where a JSON document differs from the definition of its format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pydantic import ValidationError

_ALLOWED: Mapping[str, str] = MappingProxyType(
    {
        "bool_type": "true or false",
        "dataclass_type": "an object",
        "dict_type": "an object",
        "finite_number": "a number",
        "float_type": "a number",
        "greater_than_equal": "{ge} or more",
        "int_from_float": "a whole number",
        "int_type": "a whole number",
        "list_type": "a list",
        "literal_error": "{expected}",
        "model_attributes_type": "an object",
        "model_type": "an object",
        "string_pattern_mismatch": "a text like {pattern}",
        "string_type": "a text",
        "tuple_type": "a list",
    }
)
"""What is allowed, by the type of pydantic's error and with its figures."""

_LONGEST = 40


def first_mistake(error: ValidationError) -> str:
    """Returns the first mistake of a document: its key, what was found and what is allowed.

    Such as `selfHosted.total is null; allowed: a number as a text, such as "12.50"`. A validator's
    own ValueError says what is allowed.
    """
    mistake = error.errors(include_url=False)[0]
    key = _key(mistake["loc"])
    match mistake["type"]:
        case "json_invalid":
            return mistake["msg"].replace("Invalid", "invalid")
        case "missing":
            return f"{key} is missing"
        case "extra_forbidden" | "unexpected_keyword_argument":
            return f"unknown key {key}"
        case kind:
            said = _ALLOWED.get(kind, mistake["msg"].removeprefix("Value error, "))
            allowed = said.format(**mistake.get("ctx", {})) if kind in _ALLOWED else said
            return f"{key} is {_found(mistake['input'])}; allowed: {allowed}"


def _found(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return f'"{value[:_LONGEST]}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    return "a list" if isinstance(value, list | tuple) else "an object"


def _key(path: Sequence[int | str]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).removeprefix(".") or "the document"
