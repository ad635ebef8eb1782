"""Which controls of compliance frameworks a rule supports. This is not a certification."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from breakeven.policy.rule import Rule

_DATA = Path(__file__).parent / "data" / "frameworks.json"


def frameworks() -> Mapping[str, Mapping[str, list[str]]]:
    """Returns the controls of each framework by theme."""
    found: Mapping[str, Mapping[str, list[str]]] = _data()["frameworks"]
    return found


def caution() -> str:
    """Returns the disclaimer to show with the map."""
    return str(_data()["note"])


def supported(rule: Rule) -> dict[str, list[str]]:
    """Returns the controls that a rule supports, by framework."""
    return {
        name: themes[rule.theme] for name, themes in frameworks().items() if rule.theme in themes
    }


def open_controls() -> Mapping[str, Mapping[str, str]]:
    """Returns the controls that no rule can support, by framework, and what supports each."""
    found: Mapping[str, Mapping[str, str]] = _data()["open"]
    return found


@cache
def _data() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(_DATA.read_text(encoding="utf-8"))
    return parsed
