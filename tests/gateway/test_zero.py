"""From zero replicas without an API: requests wait for the first one, within bounds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.manifests.gateway import limits, listeners, routes
from breakeven.manifests.gateway.limits import HOLD_INTERVAL_SECONDS, Hold, holds_of
from tests.gateway.asking import A, B, assert_complete, at_once, eventually
from tests.gateway.running import Cluster

ZERO: dict[str, object] = {"replicas.min": 0, "gateway.mode": "self-host", "gateway.enabled": True}
WAKES = "envoy_cluster_upstream_rq_total"
"""What KEDA asks Prometheus for, of the cluster to-own."""


@pytest.fixture
def zero(tmp_path: Path) -> Iterator[Cluster]:
    """No replica; a pod holds as long and as many as the stack says."""
    cluster = Cluster(tmp_path, ZERO)
    yield cluster
    assert not cluster.api.asked
    cluster.close()


def held(cluster: Cluster) -> Hold:
    """How requests for the stack's only model are held."""
    [hold] = holds_of(cluster.settings, cluster.settings.gateway).values()
    return hold


def test_requests_wait_for_the_first_replica_and_all_are_answered(zero: Cluster) -> None:
    with ThreadPoolExecutor(20) as clients:
        waiting = [clients.submit(zero.ask, stream=stream) for stream in (True, False) * 10]
        time.sleep(8)
        assert not any(one.done() for one in waiting)
        wakes = zero.metric(WAKES, envoy_cluster_name="to-own")
        assert wakes >= 20, "KEDA sees nothing"
        time.sleep(2 * HOLD_INTERVAL_SECONDS)
        assert zero.metric(WAKES, envoy_cluster_name="to-own") > wakes, "the signal ends too early"
        ready = time.monotonic()
        zero.set_replicas(A)
        answers = [one.result() for one in waiting]
    assert_complete(answers)
    assert {one.by for one in answers} == {"own"}
    assert all("x-waits" not in one.headers for one in answers)
    # The last try is at most one and a half intervals ago; the rest is for a busy machine.
    assert time.monotonic() - ready < 15


def test_beyond_what_a_pod_may_hold_requests_are_refused_at_once(zero: Cluster) -> None:
    hold = held(zero)
    with ThreadPoolExecutor(hold.requests) as clients:
        waiting = [clients.submit(zero.ask) for _ in range(hold.requests)]
        eventually(lambda: zero.metric(WAKES, envoy_cluster_name="to-own") >= 2 * hold.requests)
        refused = at_once(10, zero.ask)
        assert {one.status for one in refused} == {503}
        assert {one.headers["retry-after"] for one in refused} == {"30"}
        assert all(one.seconds < HOLD_INTERVAL_SECONDS for one in refused)
        assert not any(one.done() for one in waiting)
        zero.set_replicas(A)
        assert_complete([one.result() for one in waiting])


def test_a_client_that_leaves_is_held_no_longer(zero: Cluster) -> None:
    hold = held(zero)
    body = b'{"model":"' + zero.model.encode() + b'","messages":[{"role":"user","content":"x"}]}'
    head = (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-product\r\n"
        b"Content-Type: application/json\r\nContent-Length: " + str(len(body)).encode() + b"\r\n"
    )
    leaving = [
        threading.Thread(target=zero.raw, args=(head + b"\r\n" + body,), kwargs={"seconds": 2.0})
        for _ in range(hold.requests)
    ]
    for one in leaving:
        one.start()
    for one in leaving:
        one.join()
    time.sleep(2)
    with ThreadPoolExecutor(1) as clients:
        waiting = clients.submit(zero.ask)
        time.sleep(2)
        assert not waiting.done(), "those that left have its place"
        zero.set_replicas(A)
        assert_complete([waiting.result()])


def test_a_request_is_refused_when_no_replica_comes_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = Hold(requests=4, tries=2)
    for module in (limits, listeners, routes):
        monkeypatch.setattr(module, "holds_of", lambda settings, _: {settings.name: short})
    cluster = Cluster(tmp_path, ZERO)
    try:
        answer = cluster.ask()
        assert (answer.status, answer.headers["retry-after"]) == (503, "30")
        assert "x-waits" not in answer.headers
        assert short.least_seconds <= answer.seconds < short.most_seconds + 2
    finally:
        cluster.close()


def test_a_replica_cannot_keep_a_request_waiting(zero: Cluster) -> None:
    """What only the gateway may say is not believed of whoever answers."""
    [own] = zero.set_replicas(A)
    own.faults = replace(own.faults, headers={"x-waits": "2"})
    assert_complete([zero.ask()])
    assert len(own.asked) == 1


def test_of_two_models_only_the_one_at_zero_is_waited_for(tmp_path: Path) -> None:
    changes: dict[str, object] = {"gateway.enabled": True, "models[1].replicas.min": 0}
    cluster = Cluster(tmp_path, changes, stack="two-models")
    try:
        [second] = (one.model for one in cluster.settings.co_located)
        [first] = cluster.set_replicas(A)
        cluster.set_further()
        with ThreadPoolExecutor(10) as clients:
            waiting = [
                clients.submit(cluster.ask, model=second, stream=stream)
                for stream in (True, False) * 5
            ]
            name = f"to-own-{cluster.settings.co_located[0].name}"
            eventually(lambda: cluster.metric(WAKES, envoy_cluster_name=name) >= 10)
            assert_complete(at_once(5, cluster.ask))
            assert not any(one.done() for one in waiting)
            # The model that always runs lost its replica: nobody waits, and none is asked to.
            cluster.set_replicas()
            refused = cluster.ask()
            assert (refused.status, refused.headers["retry-after"]) == (503, "30")
            assert "x-waits" not in refused.headers
            assert refused.seconds < HOLD_INTERVAL_SECONDS
            [replica] = cluster.set_further(B)
            answers = [one.result() for one in waiting]
        assert_complete(answers)
        assert {one.body["model"] for one in replica.asked} == {second}
        assert {one.body["model"] for one in first.asked} == {cluster.model}
        assert not cluster.api.asked
    finally:
        cluster.close()
