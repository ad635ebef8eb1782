"""Text of others as a terminal may show it: nothing in it acts on the terminal."""

from __future__ import annotations

import re
from typing import Any

_ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters but tab and line end, and those that turn the direction of writing."""


def printable(text: str) -> str:
    """Returns a text with each character that would act on a terminal written as an escape."""
    return _ACTS.sub(lambda found: ascii(found[0])[1:-1], text)


def all_printable(value: Any) -> Any:
    """Returns a JSON value with every text in it printable, keys as well."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(key): all_printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [all_printable(item) for item in value]
    return value
