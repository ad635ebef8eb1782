"""Alerts against synthetic series, evaluated by Prometheus's own promtool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from breakeven.manifests.monitoring.planned import PlannedCost
from breakeven.settings.stack import Settings
from tests.prometheus.cases import candidate, cost, gateway, gpu, latency, scaling, serving
from tests.prometheus.cases.series import SETTINGS, Case
from tests.prometheus.promtool import evaluate, promtool, write_rules
from tests.recording import settings_of
from tests.unit.manifests.monitoring.stacks import (
    MONITORED,
    alerts_of,
    planned_of,
    rule_specifications,
)

CONCERNS: Mapping[str, list[Case]] = {
    "serving": serving.CASES,
    "latency": latency.CASES,
    "scaling": scaling.CASES,
    "gpu": gpu.CASES,
    "cost": cost.CASES,
    "gateway": gateway.CASES,
    "candidate": candidate.CASES,
}
# The figures of the cases' comments, whatever the price book says by now.
PLANNED = replace(
    planned_of("aws-prod"),
    node_hour=Decimal("1.965555"),
    fixed_hour=Decimal("6.00774"),
    per_million_tokens=Decimal("0.53"),
    budget=Decimal(9000),
    replica_tokens_per_second=5000.0,
    replica_tokens_low=4750.0,
    full_requests=48,
    measured_by="record.json",
)


def stack_of(concern: str) -> tuple[Settings, PlannedCost]:
    """The stack that a concern's cases are about."""
    if concern == "gateway":
        return gateway.SETTINGS, planned_of("hybrid")
    if concern == "candidate":
        return candidate.SETTINGS, planned_of("hybrid")
    return SETTINGS, PLANNED


def every_alert() -> dict[str, dict[str, Any]]:
    concerns = ("gateway", "candidate")
    found = alerts_of(SETTINGS, PLANNED)
    for concern in concerns:
        found |= alerts_of(*stack_of(concern))
    return found


@pytest.mark.parametrize("stack", MONITORED)
def test_prometheus_accepts_every_rule(stack: str, tmp_path: Path) -> None:
    planned = replace(planned_of(stack), budget=Decimal(9000))
    paths = write_rules(tmp_path, settings_of(stack), planned).values()
    promtool("check", "rules", "--lint-fatal", *map(str, paths))


def test_prometheus_accepts_the_rules_of_a_private_price(tmp_path: Path) -> None:
    private = replace(PLANNED, node_hour=None, fixed_hour=None)
    path = write_rules(tmp_path, SETTINGS, private)["cost"]
    assert "node_hour" not in path.read_text()
    assert "cost_hour" not in path.read_text()
    promtool("check", "rules", "--lint-fatal", str(path))


def test_every_alert_is_seen_firing_and_quiet() -> None:
    seen = [case for cases in CONCERNS.values() for case in cases]
    for alert in every_alert():
        assert {case.firing for case in seen if case.alert == alert} == {True, False}, alert


def test_every_summary_that_is_filled_in_is_seen() -> None:
    seen = {case.alert for cases in CONCERNS.values() for case in cases if case.summary}
    for name, rule in every_alert().items():
        assert name in seen or "{{" not in rule["annotations"]["summary"], name


ALERTS = sorted({(concern, case.alert) for concern, cases in CONCERNS.items() for case in cases})


@pytest.mark.parametrize(("concern", "alert"), ALERTS)
def test_alerts_fire_when_they_should_and_only_then(
    concern: str, alert: str, tmp_path: Path
) -> None:
    cases = [case for case in CONCERNS[concern] if case.alert == alert]
    evaluate(tmp_path, rule_specifications(*stack_of(concern)), concern, alert, cases)


@pytest.mark.parametrize(
    ("concern", "alert"), sorted({(concern, alert) for concern, alert, _ in candidate.TOLD_APART})
)
def test_alerts_of_a_model_are_about_its_own_pods_and_not_its_candidates(
    concern: str, alert: str, tmp_path: Path
) -> None:
    cases = [case for _, which, case in candidate.TOLD_APART if which == alert]
    assert {case.firing for case in cases} == {True, False}
    evaluate(tmp_path, rule_specifications(*stack_of("candidate")), concern, alert, cases)


def test_prometheus_accepts_the_rules_of_a_candidate(tmp_path: Path) -> None:
    paths = write_rules(tmp_path, *stack_of("candidate")).values()
    promtool("check", "rules", "--lint-fatal", *map(str, paths))
