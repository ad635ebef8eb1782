"""Running it: keys that change, pods that stop, and what Prometheus reads."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.asking import A, B, assert_complete, at_once, eventually
from tests.gateway.client import Answer
from tests.gateway.running import MARK, Cluster
from tests.gateway.stand_in import Faults
from tests.unit.promql import catalogue, target_labels


def put(file: Path, text: str | None) -> None:
    """Writes or removes a key as the kubelet does: the whole folder changes at once."""
    if text is None:
        file.unlink()
        return
    beside = file.with_name(f"..{file.name}")
    beside.write_text(text)
    beside.rename(file)


def test_keys_change_without_a_restart(serving: Cluster) -> None:
    """A new one, one that is taken away, one of two teams, an empty one."""
    keys = serving.folder / "keys"
    pid = serving.processes["gateway"].pid

    def status(key: str) -> int:
        return serving.call("GET", "/v1/models", key=key).status

    assert {status("sk-small"), status("sk-poor"), status("sk-legal")} == {200}
    try:
        put(keys / "small", "sk-rotated\n")
        put(keys / "poor", None)
        put(keys / "product", "sk-legal\n")
        eventually(lambda: status("sk-rotated") == 200)
        assert {status("sk-small"), status("sk-poor"), status("sk-product")} == {401}
        put(keys / "small", " \n")
        eventually(lambda: status("sk-rotated") == 401)
        assert {status(key) for key in ("", " ", "small", "none")} == {401}
        # One key of two teams is the first one's by name, and the log names both, and no key.
        serving.set_replicas()
        assert serving.ask("sk-legal", text=MARK).status == 503
        assert "legal and product" in serving.log()
        assert "sk-" not in serving.log()
    finally:
        for team in ("small", "poor", "product"):
            put(keys / team, f"sk-{team}\n")
        eventually(lambda: status("sk-small") == 200)
    assert serving.processes["gateway"].pid == pid


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.close()


def test_a_pod_that_stops_loses_nothing(own_cluster: Cluster) -> None:
    """Kubernetes takes it out of the Service, waits as the pod says, and then ends it.

    Here no new request comes after the first moment; what is under way ends, and the wait of the
    pod is longer than the longest request.
    """
    [own] = own_cluster.set_replicas(A)
    own.faults = Faults(seconds_a_word=0.05)
    pod = own_cluster.rendered.pod("gateway")
    container = own_cluster.rendered.container("gateway", "envoy")
    wait = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    longest = own_cluster.settings.engine.longest_request_seconds
    assert wait > longest
    assert pod["terminationGracePeriodSeconds"] > wait
    answers: list[Answer] = []
    under_way = threading.Thread(
        target=lambda: answers.extend(at_once(8, lambda: own_cluster.ask(stream=True)))
    )
    under_way.start()
    time.sleep(0.3)
    under_way.join()  # the wait of the pod
    gateway = own_cluster.processes["gateway"]
    gateway.send(signal.SIGTERM)
    assert gateway.wait(10) == 0
    assert_complete([one for one in answers if one.by == "own"])
    assert all(one.whole for one in answers)


def test_it_starts_without_replicas_limits_or_names(tmp_path: Path) -> None:
    """Pods start in any order; the gateway is ready before what is behind it."""
    cluster = Cluster(tmp_path)
    try:
        cluster.names.fails = True
        for name in ("gateway", "limits", "store"):
            cluster.stop(name)
        started = time.monotonic()
        cluster.start_gateway()
        assert time.monotonic() - started < 30
        assert cluster.ask("sk-legal").status == 503
        cluster.names.fails = False
        cluster.start_store()
        cluster.start_limits()
        cluster.set_replicas(A)
        assert_complete([cluster.ask("sk-legal")])
    finally:
        cluster.close()


def test_files_that_can_not_be_loaded_let_nobody_in(own_cluster: Cluster) -> None:
    """Without its rules it does not start, or it answers nobody: never open."""
    cluster = own_cluster
    cluster.set_replicas(A)
    for file in ("gateway.lua", "usage.lua", "body.lua", "envoy.yaml"):
        path = cluster.folder / "configuration" / file
        good = path.read_text()
        for broken in ("", good[: len(good) // 2], good + "\nerror('broken')\n"):
            cluster.stop("gateway")
            path.write_text(broken)
            try:
                cluster.start_gateway()
            except AssertionError:
                continue  # it did not start
            for key in ("sk-legal", "sk-product", ""):
                assert cluster.ask(key, text=MARK).status != 200, (file, broken[-20:])
        path.write_text(good)
    assert not cluster.asked()
    assert not cluster.api.asked


def test_nothing_of_a_test_is_left(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    pids = [process.pid for process in cluster.processes.values()]
    cluster.set_replicas(A, B)
    cluster.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    shutil.rmtree(tmp_path / "data")


def test_rules_and_panels_ask_for_what_the_gateway_counts(serving: Cluster) -> None:
    """By the names and labels that it has; `clients` has another label than who answers."""
    serving.ask()
    known = {
        name: labels - target_labels()
        for name, (_, labels) in catalogue().items()
        if name.startswith("envoy_gateway_")
    }
    assert known
    assert serving.exposed("envoy_gateway_") == known
