"""Manifests, dashboards and cost tables of every stack, compared with files that a person can read.

`make golden` regenerates them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from breakeven.manifests.monitoring.dashboards import DASHBOARDS, dashboard_json
from breakeven.manifests.yaml_text import yaml_text
from breakeven.planning.offline import load_stack
from breakeven.reports.estimate_text import render
from breakeven.reports.text import WIDTH
from breakeven.settings.files import stack_names
from tests.golden.one_file import JsonFile, TextFile, YamlFile
from tests.recording import priced_components, register_priced, settings_of

# Syrupy wants the test's name in each path; here people look for the stack's name.
pytestmark = pytest.mark.filterwarnings("ignore:[\\s\\S]*Consider adding")

TODAY = date(2026, 11, 24)

REFERENCE = "hybrid"
"""The stack that has every dashboard and every rule."""


@pytest.mark.parametrize("stack", stack_names())
def test_manifests(stack: str, snapshot: SnapshotAssertion) -> None:
    documents = sorted(_documents(stack), key=lambda entry: (entry["type"], entry["name"]))
    rendered = yaml_text(*documents)
    assert rendered == snapshot(extension_class=YamlFile, name=stack)


def _documents(stack: str) -> Iterator[Mapping[str, Any]]:
    for component in priced_components(stack, TODAY):
        yield {"type": component.type, "name": component.name, "inputs": component.inputs}
        for resource in (*component.resources, *component.started_last):
            inputs = dict(resource.manifest)
            if resource.kind == "ConfigMap":
                files = resource.manifest["data"].items()
                inputs["data"] = {name: _file(name, text) for name, text in files}
            if resource.kind == "PrometheusRule":
                inputs["spec"] = _digest(yaml_text(resource.manifest["spec"]))
            document = {"type": resource.type, "name": resource.name, "inputs": inputs}
            yield {**document, "context": resource.context} if resource.context else document


def _file(name: str, text: str) -> str:
    """A script, which is a file of charts/, and a dashboard, which has a golden file, by digest."""
    return _digest(text) if name.endswith((".py", ".lua", ".json")) else text


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _rules() -> Mapping[str, Mapping[str, Any]]:
    """The specifications of rules by concern, of the stack that has all of them."""
    rules = register_priced(REFERENCE, TODAY).of("PrometheusRule")
    return {rule.name.rpartition("-")[2]: rule.spec for rule in rules}


def test_rules(snapshot: SnapshotAssertion) -> None:
    """In the other stacks they differ in names and figures, and are there by digest."""
    for concern, specification in _rules().items():
        assert yaml_text(specification) == snapshot(extension_class=YamlFile, name=concern)


@pytest.mark.parametrize("dashboard", DASHBOARDS)
def test_dashboards(dashboard: str, snapshot: SnapshotAssertion) -> None:
    """In the other stacks they differ in names and in panels that are absent."""
    text = dashboard_json(dashboard, settings_of(REFERENCE))
    assert text == snapshot(extension_class=JsonFile, name=dashboard)


@pytest.mark.parametrize("stack", stack_names())
def test_tables(stack: str, snapshot: SnapshotAssertion) -> None:
    table = render(load_stack(stack, TODAY).report_with_levers())
    assert max(len(line) for line in table.splitlines()) <= WIDTH
    assert table == snapshot(extension_class=TextFile, name=stack)
