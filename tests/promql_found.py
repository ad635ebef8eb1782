"""Every PromQL expression of a stack, found in what it registers rather than by a list.

Alert and recording rules, queries that scale, panels of dashboards: whatever is added is found too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.recording import Registration
from tests.unit.promql import parse

# What Grafana puts in before it asks.
_OF_GRAFANA = {"$__rate_interval": "5m", "$__interval": "1m", "$__range": "6h"}


@dataclass(frozen=True)
class Found:
    """One expression.

    Attributes:
        kind: alert, record, scaling or panel.
        name: Of the rule, trigger or panel.
        text: The expression.
    """

    kind: str
    name: str
    text: str


@dataclass(frozen=True)
class Selected:
    """One metric that an expression asks for."""

    metric: str
    matchers: Mapping[str, str]
    grouping: tuple[str, ...]
    expression: str


def expressions_of(registration: Registration) -> list[Found]:
    """Returns every expression that a stack registers."""
    found = [
        item for resource in registration.resources for item in _in(resource.inputs, resource.name)
    ]
    return sorted(set(found), key=lambda item: (item.kind, item.name, item.text))


def selections_of(registration: Registration) -> list[Selected]:
    """Returns every metric that a stack's expressions ask for."""
    selected = []
    for found in expressions_of(registration):
        expression = parse(found.text)
        selected += [
            Selected(item.metric, item.matchers, tuple(expression.grouping), found.text)
            for item in expression.selections
        ]
    return selected


def _in(value: Any, name: str) -> Iterator[Found]:
    if isinstance(value, str):
        # A dashboard is a text in a ConfigMap.
        if value.lstrip().startswith("{") and '"expr"' in value:
            yield from _in(json.loads(value), name)
    elif isinstance(value, Mapping):
        yield from _here(value, name)
        inner = str(value.get("title") or name)
        for item in value.values():
            yield from _in(item, inner)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _in(item, name)


def _here(value: Mapping[str, Any], name: str) -> Iterator[Found]:
    if "alert" in value:
        yield Found("alert", str(value["alert"]), _asked(value["expr"]))
    elif "record" in value:
        yield Found("record", str(value["record"]), _asked(value["expr"]))
    elif "expr" in value:
        yield Found("panel", name, _asked(value["expr"]))
    if value.get("type") == "prometheus" and "query" in value.get("metadata", {}):
        yield Found("scaling", str(value.get("name", name)), _asked(value["metadata"]["query"]))


def _asked(text: str) -> str:
    for variable, duration in _OF_GRAFANA.items():
        text = text.replace(variable, duration)
    assert not re.search(r"\$[A-Za-z_{]", text), f"an unknown variable of Grafana in {text}"
    return text
