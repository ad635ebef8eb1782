"""Reads the YAML of manifests, which others write for Kubernetes' own reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc, valid-type]  # either, by machine
    """As YAML's safe loader, but for a lone `=`, which is a text to Kubernetes and YAML 1.2."""


_Loader.add_constructor("tag:yaml.org,2002:value", yaml.SafeLoader.construct_yaml_str)


def read_documents(path: Path) -> list[Any]:
    """Returns the documents of a file, as plain values.

    Raises:
        yaml.YAMLError: It is no YAML.
        ValueError: It is no text in UTF-8.
        OSError: It can't be read.
    """
    # No code comes of it: the loader is derived from the safe one.
    return list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=_Loader))
