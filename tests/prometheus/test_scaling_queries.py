"""What makes the autoscaler start the first replica, by the queries that KEDA asks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from breakeven.manifests.monitoring.promql import engine_selector
from tests.prometheus.promtool import value_of
from tests.unit.manifests.autoscaling.test_scale_to_zero import SETTINGS, scaled_object

GATEWAY = 'envoy_cluster_upstream_rq_total{namespace="llm",pod="g",envoy_cluster_name="to-own"}'
"""Requests that an own replica should have had, whatever came of them."""
TO_API = 'envoy_cluster_upstream_rq_total{namespace="llm",pod="g",envoy_cluster_name="to-api"}'


def queries() -> Mapping[str, str]:
    return {one["name"]: one["metadata"]["query"] for one in scaled_object().spec["triggers"]}


def values(tmp_path: Path, series: Mapping[str, str]) -> Mapping[str, float]:
    """What each trigger's query returns after five minutes of these series, where it does."""
    found = {name: value_of(query, series, tmp_path) for name, query in queries().items()}
    return {name: value for name, value in found.items() if value is not None}


def test_with_no_replica_and_no_request_nothing_is_wanted(tmp_path: Path) -> None:
    assert values(tmp_path, {GATEWAY: "7x40"}) == {
        "requests-in-flight": 0,
        "requests-waiting": 0,
        "requests-at-the-gateway": 0,
    }


def test_one_request_wakes_one_replica(tmp_path: Path) -> None:
    assert values(tmp_path, {GATEWAY: "0x14 1x20"})["requests-at-the-gateway"] == 1


def test_who_would_not_use_it_wakes_nothing(tmp_path: Path) -> None:
    series = {GATEWAY: "7x40", TO_API: "0x14 9x20"}
    assert values(tmp_path, series)["requests-at-the-gateway"] == 0


def test_a_crowd_at_the_gateway_asks_for_one_replica_and_the_engine_for_more(
    tmp_path: Path,
) -> None:
    engine = engine_selector(SETTINGS)
    series = {
        GATEWAY: "0+500x40",
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
