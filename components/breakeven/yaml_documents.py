"""Reads the YAML of manifests, which others write for Kubernetes' own reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml

_Value = TypeVar("_Value")

# libyaml's parser where PyYAML has it, as its wheels do: it takes a tenth of the time.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # one of two classes, known when it runs
    """As YAML's safe loader, but for two words that Kubernetes and YAML 1.2 read otherwise.

    A lone `=` is a text, and JSON's 1e-07 is a number.
    """


class _PlainLoader(_Base):  # type: ignore[misc]  # one of two classes, known when it runs
    """As YAML's safe loader, but refuses a key that appears twice, as the engine does."""

    def construct_mapping(self, node: yaml.MappingNode, *, deep: bool = False) -> object:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                problem = f"{key.value} appears twice; remove one of them"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


LARGEST = 5_000_000
"""Values of one text, aliases written out: far beyond any manifest, and walked in seconds."""

_Loader.add_constructor("tag:yaml.org,2002:value", yaml.SafeLoader.construct_yaml_str)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"-?\d+(\.\d+)?[eE][-+]?\d+$"), list("-0123456789")
)


def read_documents(path: Path) -> list[Any]:
    """Returns the documents of a file, as plain values.

    Raises:
        yaml.YAMLError: It is no YAML.
        ValueError: It is not text in UTF-8.
        OSError: It cannot be read.
    """
    return documents_in(path.read_text(encoding="utf-8"))


def documents_in(text: str) -> list[Any]:
    """Returns the documents of a text, as plain values.

    Raises:
        yaml.YAMLError: It is no YAML.
    """
    # No code comes of it: the loader is derived from the safe one.
    return _bounded(lambda: list(yaml.load_all(text, Loader=_Loader)))


def plain_value(text: str) -> Any:
    """Returns the single document of a text as YAML's safe loader reads it.

    Raises:
        yaml.YAMLError: It is no YAML, or several documents, or has a key twice.
    """
    # libyaml's loader is derived from the safe one, too.
    return _bounded(lambda: yaml.load(text, Loader=_PlainLoader))  # noqa: S506


def _bounded(read: Callable[[], _Value]) -> _Value:
    try:
        value = read()
        _require_bounded(value)
    except RecursionError as error:
        msg = "it is nested too deeply"
        raise yaml.YAMLError(msg) from error
    return value


def _require_bounded(value: Any) -> None:
    """Refuses aliases by which a value contains itself, or becomes too large to be walked.

    Raises:
        yaml.YAMLError: It does.
    """
    sizes: dict[int, int] = {}
    open_values: set[int] = set()

    def size_of(each: Any) -> int:
        if not isinstance(each, dict | list):
            return 1
        known = sizes.get(id(each))
        if known is not None:
            return known
        if id(each) in open_values:
            msg = "an alias leads back to the value that it is in"
            raise yaml.YAMLError(msg)
        open_values.add(id(each))
        items = each.values() if isinstance(each, dict) else each
        size = 1 + sum(size_of(item) for item in items)
        open_values.discard(id(each))
        sizes[id(each)] = size
        if size > LARGEST:
            msg = f"its aliases make more than {LARGEST:,} values of it"
            raise yaml.YAMLError(msg)
        return size

    size_of(value)
