"""From none to one by what the gateway sees; queries are evaluated by Prometheus's own promtool."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from breakeven.manifests.autoscaling import Autoscaling
from breakeven.manifests.monitoring.promql import engine_selector
from breakeven.planning.offline import ledger_of
from tests.recording import Recorded, register, settings_of

SETTINGS = settings_of("hybrid", minReplicas=0)
GATEWAY = 'breakeven_gateway_requests_total{namespace="llm",pod="g"'


def scaled_object() -> Recorded:
    _, registration = register(lambda: Autoscaling("autoscaling", SETTINGS, namespace="llm"))
    return registration.one("ScaledObject")


def queries() -> Mapping[str, str]:
    return {one["name"]: one["metadata"]["query"] for one in scaled_object().spec["triggers"]}


def values(tmp_path: Path, series: Mapping[str, str]) -> Mapping[str, float]:
    """What each trigger's query gives after five minutes of these series."""
    program = shutil.which("promtool")
    if program is None:
        pytest.fail("promtool is not on PATH; `make test` builds it and runs this", pytrace=False)
    found = {}
    for name, query in queries().items():
        plan = tmp_path / f"{name}.json"
        test = {
            "interval": "15s",
            "input_series": [{"series": one, "values": text} for one, text in series.items()],
            # Expected to fail unless there is no sample; promtool then says what it got.
            "promql_expr_test": [{"expr": query, "eval_time": "5m", "exp_samples": []}],
        }
        plan.write_text(json.dumps({"evaluation_interval": "15s", "tests": [test]}))
        done = subprocess.run(
            [program, "test", "rules", str(plan)], capture_output=True, text=True, check=False
        )
        text = done.stdout + done.stderr
        if done.returncode:
            [line] = [one for one in text.splitlines() if "got:" in one]
            found[name] = float(line.split()[-1].strip("{}[]\"'"))
    return found


def test_the_fewest_replicas_are_none_and_the_last_one_goes_as_the_setting_says() -> None:
    spec = scaled_object().spec
    assert spec["minReplicaCount"] == 0
    assert spec["cooldownPeriod"] == SETTINGS.replicas.scale_down_seconds
    assert spec["fallback"]["replicas"] == 0


def test_with_no_replica_and_no_request_nothing_is_wanted(tmp_path: Path) -> None:
    flat = {
        f'{GATEWAY},to="own",reason=""}}': "7x40",
        f'{GATEWAY},to="api",reason="error"}}': "0x40",
    }
    assert values(tmp_path, flat) == {
        "requests-in-flight": 0,
        "requests-waiting": 0,
        "requests-at-the-gateway": 0,
    }


@pytest.mark.parametrize("reason", ["no replica", "saturated", "inside", ""])
def test_one_request_wakes_one_replica(tmp_path: Path, reason: str) -> None:
    series = {f'{GATEWAY},to="x",reason="{reason}"}}': "0x14 1x20"}
    assert values(tmp_path, series)["requests-at-the-gateway"] == 1


@pytest.mark.parametrize("reason", ["budget", "asked for"])
def test_who_may_not_or_would_not_use_it_wakes_nothing(tmp_path: Path, reason: str) -> None:
    series = {
        f'{GATEWAY},to="own",reason=""}}': "7x40",
        f'{GATEWAY},to="x",reason="{reason}"}}': "0x14 9x20",
    }
    assert values(tmp_path, series)["requests-at-the-gateway"] == 0


def test_a_crowd_at_the_gateway_asks_for_one_replica_and_the_engine_for_more(
    tmp_path: Path,
) -> None:
    engine = engine_selector(SETTINGS)
    series = {
        f'{GATEWAY},to="api",reason="saturated"}}': "0+500x40",
        f'vllm:num_requests_running{{{engine},pod="a"}}': "64x40",
        f'vllm:num_requests_waiting{{{engine},pod="a"}}': "9x40",
    }
    assert values(tmp_path, series) == {
        "requests-in-flight": 73,
        "requests-waiting": 9,
        "requests-at-the-gateway": 1,
    }


def test_without_the_gateways_counter_the_scaler_is_blind_and_says_so(tmp_path: Path) -> None:
    assert "requests-at-the-gateway" not in values(tmp_path, {})
    [trigger] = [
        one for one in scaled_object().spec["triggers"] if one["name"] == "requests-at-the-gateway"
    ]
    assert trigger["metadata"]["ignoreNullValues"] == "false"


def test_where_a_replica_always_runs_the_engine_alone_decides() -> None:
    always = settings_of("hybrid")
    _, registration = register(lambda: Autoscaling("autoscaling", always, namespace="llm"))
    triggers: list[Any] = list(registration.one("ScaledObject").spec["triggers"])
    assert [one["name"] for one in triggers] == ["requests-in-flight", "requests-waiting"]
    assert not [one for one in triggers if "vector(0)" in one["metadata"]["query"]]


def test_an_update_does_not_wait_for_a_replica_that_is_not_there() -> None:
    services = {
        one.name: one.properties or {}
        for one in ledger_of(SETTINGS)
        if one.type == "kubernetes:core/v1:Service"
    }
    for name in ("model", "model-replicas", "gateway"):
        metadata: Any = services[name]["metadata"]
        assert metadata["annotations"]["pulumi.com/skipAwait"] == "true", name
