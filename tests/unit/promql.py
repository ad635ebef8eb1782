"""Reads PromQL as far as the tests ask: metrics, label matchers, grouping labels, functions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CATALOGUE = Path(__file__).parent / "monitoring" / "metrics-catalogue.json"

_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*")
      | (?P<duration>\[\d+[smhd]\])
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_:][\w:]*)
      | (?P<operator>=~|!~|!=|==|>=|<=|[{}(),=<>+\-*/])
      | (?P<space>\s+)""",
    re.VERBOSE,
)
_AGGREGATIONS = {"sum", "count", "max", "min", "avg"}
_FUNCTIONS = {"rate", "increase", "absent", "histogram_quantile"}
_OF_COUNTERS = {"rate", "increase"}
_WORDS = {"and", "or", "unless"}


@dataclass
class Selection:
    """One metric with its label matchers, and the function that it is an argument of."""

    metric: str
    matchers: dict[str, str] = field(default_factory=dict)
    function: str = ""


@dataclass
class Expression:
    """What was found in an expression."""

    selections: list[Selection] = field(default_factory=list)
    grouping: list[str] = field(default_factory=list)


def parse(text: str) -> Expression:
    """Reads an expression; fails on anything that it does not know."""
    tokens = _tokens(text)
    found, position, open_functions = Expression(), 0, [""]
    while position < len(tokens):
        kind, value = tokens[position]
        following = tokens[position + 1][1] if position + 1 < len(tokens) else ""
        if value == "(":
            before = tokens[position - 1][1] if position else ""
            open_functions.append(before if before in _AGGREGATIONS | _FUNCTIONS else "")
        elif value == ")":
            open_functions.pop()
        elif value == "by":
            end = tokens.index(("operator", ")"), position)
            found.grouping += [word for kind, word in tokens[position + 1 : end] if kind == "name"]
            position = end
        elif kind == "name" and value not in _AGGREGATIONS | _FUNCTIONS | _WORDS:
            selection = Selection(value, function=open_functions[-1])
            found.selections.append(selection)
            if following == "{":
                end = tokens.index(("operator", "}"), position)
                selection.matchers = _matchers(tokens[position + 2 : end])
                position = end
        position += 1
    assert open_functions == [""], f"parentheses of {text}"
    return found


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        assert match, f"unknown at {text[position:]!r}"
        if match.lastgroup != "space":
            tokens.append((str(match.lastgroup), match.group()))
        position = match.end()
    return tokens


def _matchers(tokens: list[tuple[str, str]]) -> dict[str, str]:
    text = "".join(value for _, value in tokens)
    pairs = re.findall(r'(\w+)(?:=~|!~|!=|=)("(?:[^"\\]|\\.)*"),?', text)
    assert sum(len(name) + len(value) for name, value in pairs) > 0, text
    return {name: json.loads(value) for name, value in pairs}


def check(text: str) -> Expression:
    """Reads an expression and asserts that the catalogue knows every metric and label in it."""
    expression, known = parse(text), catalogue()
    labels: set[str] = set()
    assert expression.selections, text
    for selection in expression.selections:
        assert selection.metric in known, f"{selection.metric} is in no recording"
        kind, own = known[selection.metric]
        assert set(selection.matchers) <= own, f"{selection.metric} has no such label: {text}"
        is_counter = selection.function in _OF_COUNTERS
        assert is_counter == (kind == "counter"), f"{selection.function} of {selection.metric}"
        labels |= own
    assert set(expression.grouping) <= labels, f"grouped by a label that is not there: {text}"
    return expression


def catalogue() -> Mapping[str, tuple[str, set[str]]]:
    """Series by name: counter or gauge, and labels; a histogram is its counters."""
    data = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    series: dict[str, tuple[str, set[str]]] = {}
    for source in data["sources"]:
        added = set(data["target_labels"]) if source["scraped"] else set()
        for name, facts in source["metrics"].items():
            own = set(facts["labels"]) | added
            if facts["type"] == "histogram":
                series[f"{name}_bucket"] = ("counter", own | {"le"})
                series[f"{name}_sum"] = series[f"{name}_count"] = ("counter", own)
            else:
                series[name] = (facts["type"], own)
    return series
