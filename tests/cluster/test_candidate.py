"""A candidate on a real API server: it comes next to the model's pods, is promoted, or goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rig.api import Api
from tests.cluster.deploying import DEPLOYMENT, NAMESPACE, destroy, pulumi, up, wait_for
from tests.cluster.inventory import inventory
from tests.project_copy import Project

STACK = "hybrid"
CANDIDATE = f"{DEPLOYMENT}-candidate"
CHANGE = "--kv-cache-dtype=fp8"
TRIAL: Mapping[str, object] = {"candidate.settings": {"engine.kvCachePrecision": "fp8"}}


def pods_of(api: Api, name: str) -> set[str]:
    """The identities of the pods that serve a model or its candidate."""
    pods = api.items(f"/api/v1/namespaces/{NAMESPACE}/pods")
    return {
        str(pod["metadata"]["uid"])
        for pod in pods
        if pod["metadata"].get("labels", {}).get("app.kubernetes.io/instance") == name
        and pod["metadata"]["labels"].get("app.kubernetes.io/component") == "engine"
        and "deletionTimestamp" not in pod["metadata"]
    }


def is_ready(api: Api, path: str, replicas: int) -> bool:
    """Whether a Deployment has so many ready replicas."""
    found = api.find(path)
    return found is not None and found["status"].get("readyReplicas", 0) == replicas


def arguments(api: Api, path: str) -> str:
    """What the engine of a Deployment is started with."""
    spec: Mapping[str, Any] = api.get(path)["spec"]["template"]["spec"]
    return str([container.get("args") for container in spec["containers"]])


def test_a_candidate_comes_next_to_the_models_pods_and_withdrawn_leaves_nothing(
    project: Project, api: Api
) -> None:
    up(project, STACK)
    alone, pods = inventory(api), pods_of(api, "model")
    assert pods
    project.set(STACK, **TRIAL)
    up(project, STACK)
    wait_for("the candidate is ready", lambda: is_ready(api, CANDIDATE, 1))
    assert pods_of(api, "model") == pods
    assert len(pods_of(api, "model-candidate")) == 1
    assert CHANGE in arguments(api, CANDIDATE)
    assert CHANGE not in arguments(api, DEPLOYMENT)
    pulumi(project, "preview", "--stack", STACK, "--expect-no-changes")

    project.set(STACK, **TRIAL, **{"candidate.stage": "withdrawn"})
    up(project, STACK)
    assert api.find(CANDIDATE) is None
    assert pods_of(api, "model") == pods
    wait_for(
        "what the trial added is gone",
        lambda: not {name for name in inventory(api) - alone if "candidate" in name},
    )
    destroy(project, STACK)


def test_a_promoted_candidate_is_the_model_and_its_own_replicas_end(
    project: Project, api: Api
) -> None:
    project.set(STACK, **TRIAL)
    up(project, STACK)
    wait_for("the candidate is ready", lambda: is_ready(api, CANDIDATE, 1))
    project.set(STACK, **TRIAL, **{"candidate.stage": "promoted"})
    up(project, STACK)
    assert CHANGE in arguments(api, DEPLOYMENT)
    assert api.find(CANDIDATE) is None
    pulumi(project, "preview", "--stack", STACK, "--expect-no-changes")
    destroy(project, STACK)
