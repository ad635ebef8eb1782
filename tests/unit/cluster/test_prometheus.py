"""Prometheus is queried by address or through the API server, and errors name their cause."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from breakeven.cluster import prometheus as module
from breakeven.cluster.connection import connect
from breakeven.cluster.prometheus import Prometheus, PrometheusError
from tests.unit.cluster.recorded import TOKEN, Recorded, serving, write_kubeconfig


def vector(*values: str) -> dict[str, Any]:
    series = [{"metric": {"pod": str(n)}, "value": [0, each]} for n, each in enumerate(values)]
    return {"status": "success", "data": {"resultType": "vector", "result": series}}


def test_values_are_summed_and_those_that_are_no_number_left_out() -> None:
    with serving(Recorded({"/api/v1/query": vector("1.5", "NaN", "+Inf", "2")})) as address:
        asked = Prometheus.at(address)
        assert asked.value("up") == 3.5
        assert [sample.labels["pod"] for sample in asked.query("up")] == ["0", "3"]
    with serving(Recorded({"/api/v1/query": vector()})) as address:
        assert Prometheus.at(address).value("up") is None


@pytest.mark.parametrize(
    "scheme", [("http", "prometheus:9090"), ("https", "https:prometheus:9090")], ids=str
)
def test_a_service_is_asked_through_the_api_servers_proxy(
    tmp_path: Path, scheme: tuple[str, str]
) -> None:
    recorded = Recorded(
        {f"/api/v1/namespaces/watch/services/{scheme[1]}/proxy/p/api/v1/query": vector("1")}
    )
    with serving(recorded) as address:
        cluster = connect(write_kubeconfig(tmp_path / "config", address))
        there = f"{scheme[0]}://prometheus.watch.svc:9090/p/"
        assert Prometheus.of_stack(cluster, there).value("up") == 1


def test_another_host_is_asked_directly(tmp_path: Path) -> None:
    with serving(Recorded({"/api/v1/query": vector("1")})) as address:
        cluster = connect(write_kubeconfig(tmp_path / "config", "http://127.0.0.1:9"))
        assert Prometheus.of_stack(cluster, address).value("up") == 1


WRONG = [
    ("<html>Grafana</html>", "the server there is not Prometheus"),
    ({"status": "success", "data": []}, "the server there is not Prometheus"),
    ({"status": "success", "data": {"result": [{"value": []}]}}, "not Prometheus"),
    ({"status": "success", "data": {"result": [{"metric": {}, "value": [0, "x"]}]}}, "not Prom"),
    ([], "the server there is not Prometheus"),
    ({"status": "error", "error": "bad query"}, "rejected a query: bad query"),
    ((503, "starting"), "the server there is not Prometheus"),
]


@pytest.mark.parametrize(("answer", "said"), WRONG)
def test_what_is_not_an_answer_of_prometheus_is_one_message(answer: Any, said: str) -> None:
    with (
        serving(Recorded({"/api/v1/query": answer})) as address,
        pytest.raises(PrometheusError, match=said),
    ):
        Prometheus.at(address).query("up")


def test_one_that_is_slow_or_gone_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.2)
    with pytest.raises(PrometheusError, match="connection refused"):
        Prometheus.at("http://127.0.0.1:9").query("up")

    def drowsy(_: object) -> dict[str, Any]:
        time.sleep(0.6)
        return vector("1")

    with (
        serving(Recorded({"/api/v1/query": drowsy})) as address,
        pytest.raises(PrometheusError, match="no response within"),
    ):
        Prometheus.at(address).query("up")


def test_no_message_repeats_a_password(tmp_path: Path) -> None:
    with pytest.raises(PrometheusError) as caught:
        Prometheus.at(f"http://user:{TOKEN}@127.0.0.1:9").query("up")
    assert TOKEN not in str(caught.value)
    cluster = connect(write_kubeconfig(tmp_path / "config", "http://127.0.0.1:9"))
    with pytest.raises(PrometheusError) as caught:
        Prometheus.of_stack(cluster, "http://p.monitoring.svc:9090").query("up")
    assert TOKEN not in str(caught.value)
