"""Reads the YAML of manifests, which others write for Kubernetes' own reader."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

# libyaml's parser where PyYAML has it, as its wheels do: it takes a tenth of the time.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # one of two classes, known when it runs
    """As YAML's safe loader, but for two words that Kubernetes and YAML 1.2 read otherwise.

    A lone `=` is a text, and JSON's 1e-07 is a number.
    """


_Loader.add_constructor("tag:yaml.org,2002:value", yaml.SafeLoader.construct_yaml_str)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"-?\d+(\.\d+)?[eE][-+]?\d+$"), list("-0123456789")
)


def read_documents(path: Path) -> list[Any]:
    """Returns the documents of a file, as plain values.

    Raises:
        yaml.YAMLError: It is no YAML.
        ValueError: It is no text in UTF-8.
        OSError: It can't be read.
    """
    return documents_in(path.read_text(encoding="utf-8"))


def documents_in(text: str) -> list[Any]:
    """Returns the documents of a text, as plain values.

    Raises:
        yaml.YAMLError: It is no YAML.
    """
    # No code comes of it: the loader is derived from the safe one.
    return list(yaml.load_all(text, Loader=_Loader))
