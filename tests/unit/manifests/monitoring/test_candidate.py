"""Alerts of a candidate: they name what exists, and leave the model's alerts to its own pods."""

from __future__ import annotations

import re

from breakeven.settings.files import ROOT
from tests.prometheus.cases.candidate import CANDIDATE, MODEL, SETTINGS
from tests.recording import settings_of
from tests.unit.manifests.monitoring.stacks import alerts_of, planned_of, rules_of
from tests.unit.promql import check, recorded_series

RUNBOOK = (ROOT / "docs" / "runbooks" / "candidate.md").read_text(encoding="utf-8")
PLANNED = planned_of("hybrid")


def test_rules_of_a_stack_with_a_candidate_ask_for_what_exists() -> None:
    rules = rules_of(SETTINGS, PLANNED)
    recorded = recorded_series(rules)
    for rule in rules:
        # What is recorded is the model's alone and has no pod: it matches a pattern of other pods.
        check(re.sub(r'(breakeven:[^{]+{[^}]*),pod!~"[^"]+"', r"\1", rule["expr"]), recorded)


def test_every_alert_of_a_candidate_has_a_section_in_the_runbook() -> None:
    rules = rules_of(SETTINGS, PLANNED)
    found = {rule["alert"] for rule in rules if rule["concern"] == "candidate"}
    assert found == set(re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE))
    without = alerts_of(settings_of("hybrid"), PLANNED)
    assert not any(name.startswith("Candidate") for name in without)


def test_no_selection_of_pods_has_pods_of_both() -> None:
    for rule in rules_of(SETTINGS, PLANNED):
        for labels in re.findall(r"\{([^}]*)\}", rule["expr"]):
            for matches, pattern in re.findall(r'pod(!?)=?~"([^"]+)"', labels):
                found = {pod for pod in (MODEL, CANDIDATE) if re.fullmatch(pattern, pod)}
                assert found == {CANDIDATE}, (matches, rule["expr"])
