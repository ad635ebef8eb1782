"""The inputs of resources as the engine passes them to a pack: behind proxies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_policy.proxy import UnknownValueError

from breakeven.policy.manifest import UNKNOWN


def with_unknowns(value: Any) -> Any:
    """Returns inputs as plain values, with UNKNOWN for values that the engine does not know yet."""
    if isinstance(value, Mapping):
        return {key: _item(value, key) for key in value}
    if isinstance(value, str) or not hasattr(value, "__getitem__"):
        return value
    return [_item(value, number) for number in range(len(value))]


def _item(holder: Any, key: Any) -> Any:
    try:
        return with_unknowns(holder[key])
    except UnknownValueError:
        return UNKNOWN


def unwrapped(value: Any) -> Any:
    """Returns inputs without proxies; secrets stay marked, and unknown values stay unknown."""
    if isinstance(value, Mapping):
        inner = value if isinstance(value, dict) else value["__target"]
        return {key: unwrapped(item) for key, item in inner.items()}
    if isinstance(value, list):
        return [unwrapped(item) for item in value]
    if not isinstance(value, str) and hasattr(value, "__len__") and hasattr(value, "__getitem__"):
        return [unwrapped(item) for item in value["__target"]]
    return value
