"""A stack with a candidate on trial: what the trial adds, and its alerts.

Compared with files that a person can read; `make golden` regenerates them.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.location import PyTestLocation

from breakeven.manifests.render import render
from breakeven.manifests.yaml_text import yaml_text
from breakeven.planning.gateway import gateway_figures
from breakeven.planning.offline import load_values
from breakeven.planning.planned_cost import planned_costs
from breakeven.reports.estimate_text import render as table
from breakeven.settings.files import stack_values, with_settings
from tests.golden.one_file import OneFile

pytestmark = pytest.mark.filterwarnings("ignore:[\\s\\S]*Consider adding")

TODAY = date(2026, 11, 24)
STACK = "hybrid"
TRIAL: Mapping[str, object] = {
    "candidate.settings": {"model.precision": "fp8", "engine.kvCachePrecision": "fp8"},
    "candidate.trafficPercent": 10,
    "candidate.replicas": 2,
}


class _OfCandidate(OneFile):
    @classmethod
    def folder(cls, test_location: PyTestLocation) -> str:  # noqa: ARG003  # one for all tests
        return "candidate"


class _Text(_OfCandidate):
    file_extension = "txt"


class _Yaml(_OfCandidate):
    file_extension = "yaml"


@cache
def _manifests(*, on_trial: bool) -> dict[str, dict[str, Any]]:
    changes = TRIAL if on_trial else {}
    loaded = load_values(STACK, with_settings(stack_values(STACK), changes), TODAY)
    report = loaded.report()
    rendered = render(loaded.stack, gateway_figures(report), planned_costs(report))
    return {resource.key: dict(resource.manifest) for resource in rendered}


def test_table_of_a_stack_with_a_candidate(snapshot: SnapshotAssertion) -> None:
    loaded = load_values(STACK, with_settings(stack_values(STACK), TRIAL), TODAY)
    assert table(loaded.report()) == snapshot(extension_class=_Text, name="table")


def test_resources_that_a_trial_adds(snapshot: SnapshotAssertion) -> None:
    alone, both = _manifests(on_trial=False), _manifests(on_trial=True)
    assert alone.keys() <= both.keys()
    added = {key: both[key] for key in sorted(both.keys() - alone.keys())}
    for name, rule in added.items():
        if rule["kind"] == "PrometheusRule":
            added[name] = {**rule, "spec": "see rules.yaml"}
    assert yaml_text(added) == snapshot(extension_class=_Yaml, name="added")


def test_alerts_of_a_candidate(snapshot: SnapshotAssertion) -> None:
    rules = _manifests(on_trial=True)["PrometheusRule/model-candidate"]["spec"]
    assert yaml_text(rules) == snapshot(extension_class=_Yaml, name="rules")


def test_what_the_gateway_does_with_its_share(snapshot: SnapshotAssertion) -> None:
    alone, both = (
        _manifests(on_trial=on_trial)["ConfigMap/gateway"]["data"]["envoy.yaml"].splitlines()
        for on_trial in (False, True)
    )
    changed = difflib.unified_diff(alone, both, "alone", "on trial", n=0, lineterm="")
    assert "\n".join(changed) == snapshot(extension_class=_Text, name="envoy")
