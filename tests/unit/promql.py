"""Reads PromQL with a parser and compares it with catalogues of what there is to ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser as promql

CATALOGUE = Path(__file__).parent / "manifests" / "monitoring" / "metrics-catalogue.json"
RECORDED = "breakeven:"

_OF_COUNTERS = {"rate", "increase"}
_NO_METRIC = re.compile(r"vector\([0-9.]+\)")


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
    aggregated: bool = False
    added: set[str] = field(default_factory=set)


def parse(text: str) -> Expression:
    """Reads an expression; fails on anything that is no PromQL."""
    found = Expression()
    _visit(promql.parse(text), "", found)
    return found


def _visit(node: Any, function: str, found: Expression) -> None:  # noqa: C901  # a case a node
    match node:
        case promql.VectorSelector():
            matchers = {matcher.name: matcher.value for matcher in node.matchers.matchers}
            assert node.name is not None, "a selection by labels alone"
            found.selections.append(Selection(node.name, matchers, function))
        case promql.MatrixSelector():
            _visit(node.vector_selector, function, found)
        case promql.Call():
            if node.func.name == "label_replace":
                found.added.add(node.args[1].val)
            for argument in node.args:
                _visit(argument, node.func.name, found)
        case promql.AggregateExpr():
            found.aggregated = True
            if node.modifier is not None:
                found.grouping += node.modifier.labels
            _visit(node.expr, str(node.op), found)
        case promql.BinaryExpr():
            _visit(node.lhs, "", found)
            _visit(node.rhs, "", found)
        case promql.ParenExpr() | promql.SubqueryExpr() | promql.UnaryExpr():
            _visit(node.expr, function, found)
        case promql.NumberLiteral() | promql.StringLiteral():
            pass
        case _:
            msg = f"unknown part {type(node)}"
            raise AssertionError(msg)


Series = Mapping[str, tuple[str, set[str]]]
"""By name: counter or gauge, and labels."""


def check(text: str, recorded: Series | None = None) -> Expression:
    """Reads an expression and asserts that every metric and label in it exists.

    Args:
        text: The expression.
        recorded: Series of recording rules, which can be queried in addition to the catalog's.
    """
    expression, known = parse(text), {**catalogue(), **(recorded or {})}
    labels = set(expression.added)
    assert expression.selections or _NO_METRIC.fullmatch(text), text
    for selection in expression.selections:
        assert selection.metric in known, f"{selection.metric} is in no catalogue: {text}"
        kind, own = known[selection.metric]
        assert set(selection.matchers) <= own, f"{selection.metric} has no such label: {text}"
        is_counter = selection.function in _OF_COUNTERS
        assert is_counter == (kind == "counter"), f"{selection.function} of {selection.metric}"
        labels |= own
    assert set(expression.grouping) <= labels, f"grouped by a label that is not there: {text}"
    return expression


def recorded_series(rules: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, set[str]]]:
    """Returns what recording rules add, with the labels that their results have."""
    series: dict[str, tuple[str, set[str]]] = {}
    for rule in rules:
        if "record" in rule:
            labels = set(rule["labels"]) | set(parse(rule["expr"]).grouping)
            series[rule["record"]] = ("gauge", labels | series.get(rule["record"], ("", set()))[1])
    return series


@cache
def target_labels() -> set[str]:
    """Labels that Prometheus adds to what it scrapes."""
    return set(json.loads(CATALOGUE.read_text(encoding="utf-8"))["target_labels"])


@cache
def catalogue() -> dict[str, tuple[str, set[str]]]:
    """Series by name: counter or gauge, and labels; a histogram is its counters."""
    data = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    series: dict[str, tuple[str, set[str]]] = {}
    for source in data["sources"]:
        added = target_labels() if source["scraped"] else set()
        for name, facts in source["metrics"].items():
            own = set(facts["labels"]) | added
            if facts["type"] == "histogram":
                series[f"{name}_bucket"] = ("counter", own | {"le"})
                series[f"{name}_sum"] = series[f"{name}_count"] = ("counter", own)
            else:
                series[name] = (facts["type"], own)
    return series
