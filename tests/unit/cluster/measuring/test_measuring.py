"""A measurement inside the cluster: restricted Jobs, the rules for them, and nothing that stays."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from breakeven.cluster.connection import connect
from breakeven.cluster.errors import UnreachableError
from breakeven.cluster.measuring import run as running
from breakeven.cluster.measuring.objects import Step, further_objects, job
from breakeven.cluster.measuring.run import (
    InCluster,
    MeasuringError,
    find_replica,
    pod_template,
)
from breakeven.manifests.render import render
from breakeven.manifests.serving.labels import replicas_key
from breakeven.policy.manifest import Resource, Scope
from breakeven.policy.registry import rules_of
from breakeven.policy.rule import Pack
from breakeven.policy.verdict import judge
from tests.each import each
from tests.recording import STACKS, stack_of
from tests.unit.cluster.recorded import Recorded, serving, write_kubeconfig
from tests.unit.cost.builders import TODAY
from tests.unit.measurements.test_results import GUIDELLM

IMAGE = f"ghcr.io/vllm-project/guidellm:v0.8.1@sha256:{'a' * 64}"
NAMESPACE = "/api/v1/namespaces/llm"
JOBS = "/apis/batch/v1/namespaces/llm/jobs"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/llm/networkpolicies"
CLAIMS = f"{NAMESPACE}/persistentvolumeclaims"


def manifests_of(stack: str) -> dict[str, Mapping[str, Any]]:
    return {
        f"{one.kind}/{one.manifest['metadata']['name']}": one.manifest
        for one in render(stack_of(stack))
        if one.kind in {"Deployment", "LeaderWorkerSet"}
    }


def replica(name: str = "model-1", *, is_ready: bool = True) -> dict[str, Any]:
    condition = {"type": "Ready", "status": str(is_ready)}
    return {
        "metadata": {"name": name},
        "spec": {"nodeName": "gpu-1"},
        "status": {"podIP": "10.1.2.3", "startTime": f"2026-{name}", "conditions": [condition]},
    }


def load_pod(phase: str, state: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {"name": "measure-x"},
        "status": {"phase": phase, "containerStatuses": [{"state": state}]},
    }


def answers(pod: Any, *, mode: str = "ReadWriteMany") -> dict[str, Any]:
    """A cluster with one ready replica, in which the pod of the load is as stated."""

    def pods(target: str) -> dict[str, Any]:
        if "job-name" in target:
            return {"items": [pod()] if callable(pod) else [pod]}
        return {"items": [replica()]}

    [claim] = [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in manifests_of("aws-prod")["Deployment/model"]["spec"]["template"]["spec"][
            "volumes"
        ]
        if "persistentVolumeClaim" in volume
    ]
    kind = {"kind": "ConfigMap", "name": "configmaps", "namespaced": True}
    policy = {"kind": "NetworkPolicy", "name": "networkpolicies", "namespaced": True}
    return {
        f"{NAMESPACE}/pods": pods,
        f"{CLAIMS}/{claim}": {"spec": {"accessModes": [mode]}},
        "/api/v1": {"resources": [kind]},
        "/apis/networking.k8s.io/v1": {"resources": [policy]},
        "POST": lambda body: (201, {**body, "metadata": {**body["metadata"], "uid": "u-1"}}),
        "DELETE": {"kind": "Status"},
    }


@contextmanager
def measuring(
    recorded: Recorded, tmp_path: Path, stack: str = "aws-prod", **changes: float
) -> Iterator[InCluster]:
    with serving(recorded) as address:
        cluster = connect(write_kubeconfig(tmp_path / "config", address))
        settings = stack_of(stack).models[0]
        found = find_replica(cluster, settings, manifests_of(stack))
        yield InCluster(
            cluster=cluster,
            settings=settings,
            replica=found,
            image=IMAGE,
            poll_seconds=0.01,
            **changes,
        )


def created(recorded: Recorded) -> dict[str, Any]:
    return {body["kind"]: body for method, _, body in recorded.calls if method == "POST"}


def assert_nothing_stays(recorded: Recorded) -> None:
    name = created(recorded)["Job"]["metadata"]["name"]
    method, target, _ = recorded.calls[-1]
    assert (method, target) == ("DELETE", f"{JOBS}/{name}?propagationPolicy=Background")
    for method, _, body in recorded.calls:
        if method == "POST" and body["kind"] != "Job":
            [owner] = body["metadata"]["ownerReferences"]
            assert (owner["kind"], owner["name"], owner["uid"]) == ("Job", name, "u-1")


def test_a_job_is_run_and_removed(tmp_path: Path) -> None:
    message = json.dumps(GUIDELLM)
    pod = load_pod("Succeeded", {"terminated": {"exitCode": 0, "message": message}})
    recorded = Recorded(answers(pod))
    with measuring(recorded, tmp_path) as jobs:
        assert jobs.replica.address == "https://10.1.2.3:8000"
        assert jobs.replica.tokenizer == "/weights/0e9e39f249a16976918f6564b8830bc894c89659"
        assert jobs.run({"spec": {}}, 60) == message
    assert created(recorded).keys() == {"Job", "ConfigMap", "NetworkPolicy"}
    assert_nothing_stays(recorded)


@pytest.mark.parametrize(("mode", "node"), [("ReadWriteMany", None), ("ReadWriteOnce", ["gpu-1"])])
def test_the_load_runs_where_the_weights_can_be_mounted(
    mode: str, node: list[str] | None, tmp_path: Path
) -> None:
    pod = load_pod("Succeeded", {"terminated": {"message": json.dumps(GUIDELLM)}})
    recorded = Recorded(answers(pod, mode=mode))
    with measuring(recorded, tmp_path) as jobs:
        jobs.run({"spec": {}}, 60)
    spec = created(recorded)["Job"]["spec"]["template"]["spec"]
    assert ("affinity" in spec) == (node is not None)
    assert ("tolerations" in spec) == (node is not None)
    if node:
        required = spec["affinity"]["nodeAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]
        assert required["nodeSelectorTerms"][0]["matchFields"][0]["values"] == node


@pytest.mark.parametrize(
    ("pod", "said"),
    [
        (
            load_pod("Failed", {"terminated": {"message": "x\nConnection refused"}}),
            "no result in the cluster: Connection refused",
        ),
        (
            load_pod("Pending", {"waiting": {"reason": "ErrImagePull", "message": "no such tag"}}),
            "no node pulls .*: no such tag. State another one by --image",
        ),
        (
            load_pod("Pending", {"waiting": {"reason": "ContainerCreating"}}),
            "did not start within 0 s",
        ),
        (load_pod("Running", {"running": {}}), "did not end within 0 s"),
        (load_pod("Succeeded", {"terminated": {"message": "{"}}), "no result in the cluster"),
    ],
)
def test_a_job_without_a_result_says_why_and_is_removed(
    pod: dict[str, Any], said: str, tmp_path: Path
) -> None:
    recorded = Recorded(answers(pod))
    with (
        measuring(recorded, tmp_path, start_seconds=0.05) as jobs,
        pytest.raises(MeasuringError, match=said),
    ):
        jobs.run({"spec": {}}, 0)
    assert_nothing_stays(recorded)


def test_ctrl_c_removes_what_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    recorded = Recorded(answers(load_pod("Running", {"running": {}})))
    with measuring(recorded, tmp_path) as jobs:
        stopped = SimpleNamespace(sleep=interrupted, monotonic=time.monotonic)
        monkeypatch.setattr(running, "time", stopped)
        with pytest.raises(KeyboardInterrupt):
            jobs.run({"spec": {}}, 60)
    assert_nothing_stays(recorded)


def test_a_refused_object_removes_the_job(tmp_path: Path) -> None:
    def post(body: dict[str, Any]) -> Any:
        if body["kind"] == "NetworkPolicy":
            return 403, {"message": 'networkpolicies is forbidden: User "u" cannot create'}
        return 201, {**body, "metadata": {**body["metadata"], "uid": "u-1"}}

    recorded = Recorded({**answers(load_pod("Running", {"running": {}})), "POST": post})
    with measuring(recorded, tmp_path) as jobs, pytest.raises(Exception, match="networkpolicies"):
        jobs.run({"spec": {}}, 60)
    assert_nothing_stays(recorded)


def test_an_api_server_that_goes_away_is_named(tmp_path: Path) -> None:
    recorded = Recorded(answers(load_pod("Running", {"running": {}})))
    with measuring(recorded, tmp_path) as jobs:
        recorded.dies_after = len(recorded.calls) + 6
        with pytest.raises(UnreachableError, match="does not respond"):
            jobs.run({"spec": {}}, 60)
    # The Job ends by itself, and what belongs to it goes along.
    spec = created(recorded)["Job"]["spec"]
    assert spec["activeDeadlineSeconds"] < 3600
    assert spec["ttlSecondsAfterFinished"] == 600


@pytest.mark.parametrize(
    ("pods", "said"),
    [([], "no replica of model is ready"), ([replica(is_ready=False)], "no replica of model")],
)
def test_without_a_ready_replica_nothing_is_started(
    pods: list[dict[str, Any]], said: str, tmp_path: Path
) -> None:
    recorded = Recorded({f"{NAMESPACE}/pods": {"items": pods}})
    with pytest.raises(MeasuringError, match=said), measuring(recorded, tmp_path):
        pass
    assert not created(recorded)


@each("stack", STACKS)
def test_no_rule_of_the_policy_packs_is_broken(stack: str) -> None:
    read = stack_of(stack)
    settings = read.models[0]
    step = Step(
        name="measure-x",
        namespace=settings.network.namespace,
        model=settings.name,
        image=IMAGE,
        engine=pod_template(manifests_of(stack)[replicas_key(settings)]),
        node="gpu-1",
        configuration={"spec": {}},
        seconds=60,
    )
    own = [job(step), *further_objects(step, {"metadata": {"uid": "u"}})]
    stacks = [dict(resource.manifest) for resource in render(read)]
    scope = Scope(tuple(Resource(manifest) for manifest in (*stacks, *own)))
    verdict = judge(scope, rules_of([Pack.HARDENING]), (), TODAY)
    assert sum(verdict.judged.values()) > 0
    found = [str(each) for each in verdict.findings if "measure-x" in each.resource]
    assert found == []
