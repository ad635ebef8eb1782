"""Reads what /metrics answers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

_SAMPLE = re.compile(r"^(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>.*)\})? \S+$")
_LABEL = re.compile(r'(\w+)="(?:[^"\\]|\\.)*"')


def labels_by_metric(text: str) -> Mapping[str, set[str]]:
    """Returns the labels of each series, by its name."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in text.splitlines():
        match = _SAMPLE.match(line)
        if match:
            found[match["name"]] |= set(_LABEL.findall(match["labels"] or ""))
    return found
