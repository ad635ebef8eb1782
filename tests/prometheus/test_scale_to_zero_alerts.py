"""Alerts where no replica is a state like any other, evaluated by Prometheus's own promtool."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prometheus.cases.series import (
    Case,
    Series,
    cluster,
    engine,
    running,
    up,
    waiting,
)
from tests.prometheus.promtool import evaluate, promtool, write_rules
from tests.recording import settings_of
from tests.unit.manifests.monitoring.stacks import planned_of, rule_specifications

SETTINGS = settings_of("hybrid", **{"replicas.min": 0})
COUNTER: Series = cluster("envoy_cluster_upstream_rq_total", "0x300", 'envoy_cluster_name="to-own"')


def wanted(values: str) -> Series:
    return cluster("kube_deployment_spec_replicas", values, 'deployment="model"')


def ready(values: str) -> Series:
    return cluster("kube_deployment_status_replicas_ready", values, 'deployment="model"')


def asking(answered: str, in_flight: int) -> tuple[Series, ...]:
    counter = engine("vllm:time_to_first_token_seconds_count", answered)
    return counter, running(f"{in_flight}x200"), waiting("0x200")


TWO = (up("1x200", "a"), up("1x200", "b"))
CASES = {
    "serving": [
        Case("ModelUnavailable", (wanted("0x300"),), 200, firing=False),
        Case("ModelUnavailable", (wanted("1x300"),), 10, firing=False),  # the first one starts
        Case("ModelUnavailable", (wanted("1x300"),), 200, firing=True),
        Case("ModelUnavailable", (wanted("1x300"), up("1x300", "a")), 200, firing=False),
    ],
    "scaling": [
        Case("ScalingBlind", (COUNTER, ready("0x300")), 20, firing=False),
        Case("ScalingBlind", (ready("0x300"),), 20, firing=True),  # nothing would wake it
        Case("ScalingBlind", (COUNTER, ready("1x300")), 20, firing=True),
        Case(
            "ScalingBlind",
            (COUNTER, ready("1x300"), running("1x300"), waiting("0x300")),
            20,
            firing=False,
        ),
    ],
    "cost": [
        Case("IdleReplicas", (up("1x200", "a"), *asking("0+9x200", 0)), 120, firing=False),
        Case("IdleReplicas", (up("1x200", "a"), *asking("9x200", 0)), 120, firing=True),
        Case("IdleReplicas", (up("1x200", "a"), *asking("9x200", 0)), 30, firing=False),
        Case("IdleReplicas", (*TWO, *asking("0+99x200", 20)), 120, firing=True),
        Case("IdleReplicas", (*TWO, *asking("0+99x200", 30)), 120, firing=False),
    ],
}


@pytest.mark.parametrize("concern", CASES)
def test_scaled_to_zero_raises_no_alert_and_a_missing_replica_does(
    concern: str, tmp_path: Path
) -> None:
    planned = planned_of("hybrid")
    promtool(
        "check", "rules", "--lint-fatal", str(write_rules(tmp_path, SETTINGS, planned)[concern])
    )
    specifications = rule_specifications(SETTINGS, planned)
    [alert] = {case.alert for case in CASES[concern]}
    evaluate(tmp_path, specifications, concern, alert, CASES[concern])
