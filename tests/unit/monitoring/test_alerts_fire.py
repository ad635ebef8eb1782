"""Alerts against synthetic series, evaluated by Prometheus's own promtool."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.monitoring import Monitoring
from components.monitoring.promql import engine_selector, target_selector
from tests.recording import STACKS, register, settings_of

SETTINGS = settings_of("aws-prod")
ENGINE = engine_selector(SETTINGS)
TARGET = target_selector(SETTINGS)
WAITING = "vllm:num_requests_waiting"
RUNNING = "vllm:num_requests_running"
FIRST_TOKEN = "vllm:time_to_first_token_seconds_bucket"
FINISHED = "vllm:request_success_total"


@dataclass(frozen=True)
class Case:
    """Series (metric, further labels, values as promtool writes them), a time, and what then is."""

    alert: str
    series: tuple[tuple[str, str, str], ...]
    minutes: int
    firing: int


def engine(metric: str, pod: str, values: str, more: str = "") -> tuple[str, str, str]:
    return metric, f'{ENGINE},engine="0",pod="{pod}"{more}', values


def up(pod: str, values: str) -> tuple[str, str, str]:
    return "up", f'{TARGET},pod="{pod}"', values


def first_tokens(fast_per_minute: int, slow_per_minute: int) -> tuple[tuple[str, str, str], ...]:
    """Requests within 1 s, and requests that took between 2.5 and 5 s; the objective is 2 s."""
    every = fast_per_minute + slow_per_minute
    counts = {"1.0": fast_per_minute, "2.5": fast_per_minute, "5.0": every, "+Inf": every}
    return tuple(
        engine(FIRST_TOKEN, "a", f"0+{count}x400", f',le="{bound}"')
        for bound, count in counts.items()
    )


CASES = [
    Case("ModelUnavailable", (up("a", "1x30"), up("b", "0x30")), 10, 0),
    Case("ModelUnavailable", (up("a", "0x30"), up("b", "0x30")), 10, 1),
    Case("ModelUnavailable", (), 10, 1),  # not even a target
    Case("ReplicaNotAnswering", (up("a", "1x60"), up("b", "0x60")), 10, 0),  # it may still start
    Case("ReplicaNotAnswering", (up("a", "1x60"), up("b", "0x60")), 30, 1),
    Case("RequestsWaiting", (engine(WAITING, "a", "5x30"), engine(WAITING, "b", "5x30")), 20, 0),
    Case("RequestsWaiting", (engine(WAITING, "a", "11x30"), engine(WAITING, "b", "0x30")), 20, 1),
    Case("RequestsWaiting", (engine(WAITING, "a", "11x30"), engine(WAITING, "b", "0x30")), 5, 0),
    Case("KeyValueCacheFull", (engine("vllm:kv_cache_usage_perc", "a", "0.95x30"),), 20, 1),
    Case("KeyValueCacheFull", (engine("vllm:kv_cache_usage_perc", "a", "0.85x30"),), 20, 0),
    Case(
        "RequestsPreempted",
        (
            engine("vllm:num_preemptions_total", "a", "0+10x60"),
            engine(FINISHED, "a", "0+100x60", ',finished_reason="stop"'),
        ),
        45,
        1,
    ),
    Case(
        "RequestsPreempted",
        (
            engine("vllm:num_preemptions_total", "a", "0+1x60"),
            engine(FINISHED, "a", "0+100x60", ',finished_reason="stop"'),
        ),
        45,
        0,
    ),
    Case(
        "EngineErrors",
        (
            engine(FINISHED, "a", "0+100x60", ',finished_reason="stop"'),
            engine(FINISHED, "a", "0+2x60", ',finished_reason="error"'),
        ),
        30,
        1,
    ),
    Case(
        "EngineErrors",
        (
            engine(FINISHED, "a", "0+100x60", ',finished_reason="stop"'),
            engine(FINISHED, "a", "0+50x60", ',finished_reason="abort"'),
        ),
        30,
        0,  # clients that leave are no errors
    ),
    Case("LatencyBudgetBurnsFast", first_tokens(20, 80), 90, 1),
    Case("LatencyBudgetBurnsFast", first_tokens(40, 60), 90, 0),
    Case("LatencyBudgetBurnsFast", (), 90, 0),  # an idle model is not slow
    Case("LatencyBudgetBurnsSlowly", first_tokens(60, 40), 390, 1),
    Case("LatencyBudgetBurnsSlowly", first_tokens(80, 20), 390, 0),
    Case("ScalingBlind", (), 10, 1),
    Case("ScalingBlind", (engine(RUNNING, "a", "1x30"), engine(WAITING, "a", "0x30")), 10, 0),
    Case(
        "ScalingBlind",
        (
            engine(RUNNING, "a", "1x30"),
            engine(WAITING, "a", "0x30"),
            (
                "kube_horizontalpodautoscaler_status_condition",
                'namespace="llm",condition="ScalingActive",status="false"',
                "1x30",
            ),
        ),
        10,
        1,
    ),
    Case(
        "ReplicaCrashLoop",
        (
            (
                "kube_pod_container_status_restarts_total",
                'namespace="llm",container="vllm",pod="a"',
                "0x5 1x5 2x60",
            ),
        ),
        30,
        1,
    ),
    Case(
        "ReplicaCrashLoop",
        (
            (
                "kube_pod_container_status_restarts_total",
                'namespace="llm",container="vllm",pod="a"',
                "0x5 1x60",
            ),
        ),
        30,
        0,
    ),
    Case(
        "ReplicaPending",
        (("kube_pod_status_phase", 'namespace="llm",phase="Pending",pod="a"', "1x60"),),
        30,
        1,
    ),
    Case(
        "ReplicaPending",
        (("kube_pod_status_phase", 'namespace="llm",phase="Pending",pod="a"', "1x60"),),
        15,
        0,  # a node takes that long to start
    ),
]


def write_rules(folder: Path, stack: str) -> Path:
    settings = settings_of(stack)
    _, registration = register(lambda: Monitoring("monitoring", settings, namespace="llm"))
    path = folder / f"{stack}.json"
    path.write_text(json.dumps(dict(registration.one("PrometheusRule").spec)))
    return path


def promtool(*arguments: str) -> None:
    if shutil.which("promtool") is None:
        pytest.fail("promtool is not on PATH; `make test` builds it and runs this", pytrace=False)
    result = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("stack", STACKS)
def test_prometheus_accepts_every_rule(stack: str, tmp_path: Path) -> None:
    promtool("check", "rules", str(write_rules(tmp_path, stack)))


def test_every_alert_is_seen_firing_and_silent() -> None:
    _, registration = register(lambda: Monitoring("monitoring", SETTINGS, namespace="llm"))
    [group] = registration.one("PrometheusRule").spec["groups"]
    for rule in group["rules"]:
        assert {case.firing for case in CASES if case.alert == rule["alert"]} == {0, 1}


def test_alerts_fire_when_they_should_and_only_then(tmp_path: Path) -> None:
    tests = [
        {
            "interval": "1m",
            "name": f"{case.alert} {number}",
            "input_series": [
                {"series": f"{metric}{{{labels}}}", "values": values}
                for metric, labels, values in case.series
            ],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{case.alert}",alertstate="firing"}})',
                    "eval_time": f"{case.minutes}m",
                    "exp_samples": [{"labels": "{}", "value": case.firing}] if case.firing else [],
                }
            ],
        }
        for number, case in enumerate(CASES)
    ]
    rules = write_rules(tmp_path, "aws-prod")
    plan = tmp_path / "tests.json"
    plan.write_text(
        json.dumps({"rule_files": [rules.name], "evaluation_interval": "1m", "tests": tests})
    )
    promtool("test", "rules", str(plan))
