"""promtool at its pinned version: checks rule files, and evaluates rules over synthetic series."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bootstrap.golang import Program
from bootstrap.layout import Layout
from bootstrap.programs import PROMTOOL, find_built
from breakeven.manifests.monitoring.planned import PlannedCost
from breakeven.settings.files import ROOT
from breakeven.settings.stack import Settings
from tests.prometheus.cases.series import Case, Series
from tests.unit.manifests.monitoring.stacks import rule_specifications


@cache
def path_of(program: Program) -> str:
    """The program that `make test` built; fails without it.

    A program of the same name on PATH is not used: its version would decide what a test says.
    """
    folder = find_built(Layout.of(ROOT, os.environ), program)
    if folder is None:
        pytest.fail(f"{program.name} is not built. `make test` builds it.", pytrace=False)
    return str(folder / program.name)


def promtool(*arguments: str) -> None:
    """Runs promtool, which must succeed."""
    result = _run(*arguments)
    assert result.returncode == 0, result.stdout + result.stderr


def value_of(query: str, series: Mapping[str, str], folder: Path) -> float | None:
    """What a query returns after five minutes of these series; None where it returns no sample."""
    plan = folder / "query.json"
    test = {
        "interval": "15s",
        "input_series": [{"series": one, "values": text} for one, text in series.items()],
        # Expected to fail unless there is no sample; promtool then says what it got.
        "promql_expr_test": [{"expr": query, "eval_time": "5m", "exp_samples": []}],
    }
    plan.write_text(json.dumps({"evaluation_interval": "15s", "tests": [test]}))
    result = _run("test", "rules", str(plan))
    if result.returncode == 0:
        return None
    [line] = [one for one in (result.stdout + result.stderr).splitlines() if "got:" in one]
    return float(line.split()[-1].strip("{}[]\"'"))


def write_rules(folder: Path, settings: Settings, planned: PlannedCost) -> dict[str, Path]:
    """Writes a stack's rule files and returns their paths by concern."""
    paths = {}
    for concern, specification in rule_specifications(settings, planned).items():
        paths[concern] = folder / f"{concern}.json"
        paths[concern].write_text(json.dumps(specification))
    return paths


def evaluate(
    folder: Path,
    specifications: Mapping[str, Mapping[str, Any]],
    concern: str,
    alert: str,
    cases: Sequence[Case],
) -> None:
    """Evaluates an alert over the series of its cases.

    Args:
        folder: For promtool's files.
        specifications: Every PrometheusRule of a stack by its concern.
        concern: Of the alert.
        alert: Its name.
        cases: What promtool must find.
    """
    groups = [group for part in ("recording", concern) for group in specifications[part]["groups"]]
    every = [rule for group in groups for rule in group["rules"]]
    names = _needed_by(alert, every)
    kept = [
        {**group, "rules": [rule for rule in group["rules"] if _name(rule) in names]}
        for group in groups
    ]
    (folder / "rules.json").write_text(json.dumps({"groups": kept}))
    [rule] = [rule for rule in every if rule.get("alert") == alert]
    for step in {case.step for case in cases}:
        # Cases of the same series are read off one evaluation of them.
        by_series: dict[tuple[Series, ...], list[Case]] = {}
        for case in cases:
            if case.step == step:
                by_series.setdefault(case.series, []).append(case)
        plan = {
            "rule_files": ["rules.json"],
            "evaluation_interval": f"{step}m",
            # A step can be longer than a recorded value lasts, so what is recorded comes first.
            "group_eval_order": [group["name"] for group in groups],
            "tests": [_as_test(together, rule) for together in by_series.values()],
        }
        (folder / "tests.json").write_text(json.dumps(plan))
        promtool("test", "rules", str(folder / "tests.json"))


def _needed_by(alert: str, rules: Sequence[Mapping[str, Any]]) -> set[str]:
    """The alert and the recording rules that it depends on, by name."""
    kept, found = {alert}, {alert}
    while found:
        asked = [rule["expr"] for rule in rules if _name(rule) in found]
        found = {
            rule["record"]
            for rule in rules
            if "record" in rule and any(rule["record"] in text for text in asked)
        } - kept
        kept |= found
    return kept


def _name(rule: Mapping[str, Any]) -> str:
    return str(rule.get("alert") or rule["record"])


def _as_test(cases: Sequence[Case], rule: Mapping[str, Any]) -> dict[str, Any]:
    """Cases of the same series and step, as promtool reads them."""
    first = cases[0]
    return {
        "interval": f"{first.step}m",
        "name": " and ".join(f"{case.alert} at {case.minutes}m" for case in cases),
        "input_series": [{"series": name, "values": values} for name, values in first.series],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{case.alert}",alertstate="firing"}}) > 0',
                "eval_time": f"{case.minutes}m",
                "exp_samples": [{"labels": "{}", "value": 1}] if case.firing else [],
            }
            for case in cases
        ],
        "alert_rule_test": [_told(case, rule) for case in cases if case.summary],
    }


def _told(case: Case, rule: Mapping[str, Any]) -> dict[str, Any]:
    """What an alert says, and of what."""
    expected = {
        "exp_labels": {**rule["labels"], **case.labels},
        "exp_annotations": {**rule["annotations"], "summary": case.summary},
    }
    return {
        "alertname": case.alert,
        "eval_time": f"{case.minutes}m",
        "exp_alerts": [expected],
    }


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [path_of(PROMTOOL), *arguments], capture_output=True, text=True, check=False
    )
