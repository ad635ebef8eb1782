"""A measurement by Jobs on a real API server: admitted, run, and nothing of it stays.

No container runs: kwok plays the kubelet, and a Stage lets the pod of the load end with guidellm's
figures in its termination message. That guidellm writes them is seen in bench/forecast.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from breakeven.cluster.connection import connect
from breakeven.cluster.measuring import run as running
from breakeven.cluster.measuring.run import InCluster, MeasuringError, find_replica
from breakeven.manifests.render import render
from breakeven.measurements.results import read_results
from breakeven.planning.offline import load_stack
from rig.cluster import Rig
from tests.cluster.deploying import NAMESPACE, wait_for
from tests.cluster.kubelet import containers_fail, containers_say, no_image
from tests.unit.measurements.test_results import GUIDELLM

STACK = "on-prem"
IMAGE = f"ghcr.io/vllm-project/guidellm:v0.8.1@sha256:{'a' * 64}"
_APPLIED = (
    *("Namespace", "ServiceAccount", "ConfigMap", "PersistentVolumeClaim", "NetworkPolicy"),
    "Deployment",
)
_LISTS = (
    f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs",
    f"/api/v1/namespaces/{NAMESPACE}/configmaps",
    f"/api/v1/namespaces/{NAMESPACE}/pods",
    f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies",
)


@pytest.fixture(scope="module")
def jobs(rig: Rig) -> Iterator[InCluster]:
    """What measures a ready replica of the stack, whose own objects are there."""
    loaded = load_stack(STACK)
    resources = render(loaded.stack)
    cluster = connect(rig.kubeconfig)
    for kind in _APPLIED:
        for resource in resources:
            if resource.kind == kind and resource.namespace in (None, NAMESPACE):
                rig.api.apply(resource.manifest)
    manifests = {
        f"{each.kind}/{each.manifest['metadata']['name']}": each.manifest
        for each in resources
        if each.kind == "Deployment"
    }

    def is_found() -> bool:
        try:
            find_replica(cluster, loaded.settings, manifests)
        except MeasuringError:
            return False
        return True

    wait_for("a replica is ready", is_found)
    yield InCluster(
        cluster=cluster,
        settings=loaded.settings,
        replica=find_replica(cluster, loaded.settings, manifests),
        image=IMAGE,
        poll_seconds=0.5,
        start_seconds=60,
    )
    rig.api.delete(f"/api/v1/namespaces/{NAMESPACE}")
    wait_for("the namespace is gone", lambda: not rig.api.find(f"/api/v1/namespaces/{NAMESPACE}"))


def left(rig: Rig) -> list[str]:
    """Names of what a measurement made and is still there."""
    return [
        str(each["metadata"]["name"])
        for path in _LISTS
        for each in rig.api.items(path)
        if each["metadata"]["name"].startswith("measure-")
    ]


def test_a_restricted_job_gives_the_figures_and_is_gone(rig: Rig, jobs: InCluster) -> None:
    with containers_say(rig.api, "measurement", json.dumps(GUIDELLM)):
        said = jobs.run({"spec": {}}, 60)
    [result] = read_results(said, "job")
    [expected] = read_results(json.dumps(GUIDELLM), "file")
    assert result == expected
    wait_for("nothing is left", lambda: left(rig) == [])


def test_ctrl_c_leaves_nothing(rig: Rig, jobs: InCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def interrupted(_: float) -> None:
        seen.append(left(rig))
        raise KeyboardInterrupt

    stopped = SimpleNamespace(sleep=interrupted, monotonic=time.monotonic)
    monkeypatch.setattr(running, "time", stopped)
    # Its pod stays Pending for a second at least.
    with no_image(rig.api, IMAGE), pytest.raises(KeyboardInterrupt):
        jobs.run({"spec": {}}, 60)
    monkeypatch.undo()
    # The Job, the ConfigMap and two network rules were there; its pod may have been.
    assert len(seen[0]) >= 4
    wait_for("nothing is left", lambda: left(rig) == [])


def test_a_load_that_fails_is_told_and_leaves_nothing(rig: Rig, jobs: InCluster) -> None:
    with (
        containers_fail(rig.api, "measurement", "Connection refused"),
        pytest.raises(MeasuringError, match="Connection refused"),
    ):
        jobs.run({"spec": {}}, 60)
    wait_for("nothing is left", lambda: left(rig) == [])


def test_an_image_that_no_node_pulls_is_told(rig: Rig, jobs: InCluster) -> None:
    with no_image(rig.api, IMAGE), pytest.raises(MeasuringError, match="no node pulls"):
        jobs.run({"spec": {}}, 60)
    wait_for("nothing is left", lambda: left(rig) == [])
