"""What goes wrong while the engine works: it is killed, runs twice, or the cluster goes away."""

from __future__ import annotations

import signal
import time

import pytest

from rig.api import Api, answers
from rig.cluster import Rig
from tests.cluster.deploying import (
    DEPLOYMENT,
    NAMESPACE,
    Update,
    destroy,
    pulumi,
    ready_replicas,
    up,
    wait_for,
)
from tests.project_copy import Project

STACK = "on-prem"
# Made by the first, an early, and by the last but one, a late, moment of an update.
MOMENTS = {
    "early": f"/api/v1/namespaces/{NAMESPACE}",
    "late": DEPLOYMENT,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_engine_that_was_killed_is_followed_by_one_that_finishes_and_nothing_is_twice(
    project: Project, api: Api, moment: str
) -> None:
    update = Update(project, STACK)
    wait_for("the update reaches its moment", lambda: api.find(MOMENTS[moment]))
    update.kill(signal.SIGKILL)

    # The lock of a killed engine stays, and is only lifted by someone who knows that it is dead.
    refused = project.pulumi("up", "--stack", STACK, "--yes", "--skip-preview")
    assert refused.returncode != 0
    assert "locked" in refused.stdout + refused.stderr
    pulumi(project, "cancel", "--stack", STACK, "--yes")
    pulumi(
        project,
        *("refresh", "--stack", STACK, "--yes", "--skip-preview", "--clear-pending-creates"),
    )
    up(project, STACK)
    assert ready_replicas(api) == 2
    deployments = [each["metadata"]["name"] for each in api.items(f"{DEPLOYMENT[:-6]}")]
    assert deployments == ["model"]
    pulumi(project, "preview", "--stack", STACK, "--expect-no-changes")
    destroy(project, STACK)


def test_an_interrupted_update_frees_its_lock_and_is_finished_by_the_next(
    project: Project, api: Api
) -> None:
    update = Update(project, STACK)
    wait_for("the update is under way", lambda: api.find(DEPLOYMENT))
    update.kill(signal.SIGINT)
    up(project, STACK)
    assert ready_replicas(api) == 2
    destroy(project, STACK)


def test_of_two_updates_at_once_the_second_is_refused_and_the_first_finishes(
    project: Project, api: Api
) -> None:
    first = Update(project, STACK)
    wait_for("the first is under way", lambda: api.find(MOMENTS["early"]))
    second = project.pulumi("up", "--stack", STACK, "--yes", "--skip-preview")
    assert second.returncode != 0
    assert "locked" in second.stdout + second.stderr
    first.finish()
    assert ready_replicas(api) == 2
    destroy(project, STACK)


def test_an_api_server_that_goes_away_and_comes_back_costs_only_a_second_update(
    project: Project, rig: Rig, api: Api
) -> None:
    update = Update(project, STACK)
    wait_for("the update is under way", lambda: api.find(MOMENTS["early"]))
    rig.stop_part("kube-apiserver")
    time.sleep(3)
    rig.start_part("kube-apiserver")
    update.wait()
    up(project, STACK, "--refresh")
    assert ready_replicas(api) == 2
    destroy(project, STACK)


def test_destroy_with_a_dead_cluster_says_so_keeps_its_state_and_works_later(
    project: Project, rig: Rig
) -> None:
    up(project, STACK)
    rig.stop_part("kube-apiserver")
    started = time.monotonic()
    failed = project.pulumi("destroy", "--stack", STACK, "--yes", "--skip-preview")
    assert failed.returncode != 0
    assert time.monotonic() - started < 120
    assert "unreachable" in failed.stdout + failed.stderr
    rig.start_part("kube-apiserver")
    pulumi(project, "preview", "--stack", STACK, "--expect-no-changes")
    destroy(project, STACK)


def test_a_missing_definition_is_named_and_the_next_update_finishes(
    project: Project, api: Api
) -> None:
    name = "podmonitors.monitoring.coreos.com"
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    definition = api.get(path)
    api.delete(path)
    try:
        pulumi(project, "stack", "init", STACK)
        failed = project.pulumi("up", "--stack", STACK, "--yes", "--skip-preview")
        assert failed.returncode != 0
        assert "PodMonitor" in failed.stdout
        assert "monitoring.coreos.com" in failed.stdout
    finally:
        kept = {key: definition[key] for key in ("apiVersion", "kind", "spec")}
        annotations = definition["metadata"].get("annotations", {})
        metadata = {"name": name, "annotations": annotations}
        api.apply({**kept, "metadata": metadata})
    wait_for(
        "the definition is served",
        # While its storage is made, the API server refuses: 429.
        lambda: answers(lambda: api.get("/apis/monitoring.coreos.com/v1/podmonitors")),
    )
    up(project, STACK)
    destroy(project, STACK)


def test_a_field_that_someone_else_took_is_named_and_not_overwritten(
    project: Project, api: Api
) -> None:
    up(project, STACK)
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "model", "namespace": NAMESPACE},
        "spec": {"maxUnavailable": 0},
    }
    path = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets/model"
    api.call(
        "PATCH",
        f"{path}?fieldManager=someone-else&force=true",
        budget,
        kind="application/apply-patch+yaml",
    )
    failed = project.pulumi("up", "--stack", STACK, "--yes", "--skip-preview", "--refresh")
    assert failed.returncode != 0
    assert "someone-else" in failed.stdout
    assert api.get(path)["spec"]["maxUnavailable"] == 0
    # What the message says to do: give the field up there, or take it here.
    released = {**budget, "spec": {}}
    api.call(
        "PATCH",
        f"{path}?fieldManager=someone-else",
        released,
        kind="application/apply-patch+yaml",
    )
    up(project, STACK, "--refresh")
    assert api.get(path)["spec"]["maxUnavailable"] == 1
    destroy(project, STACK)


def test_a_rotated_secret_changes_no_plan_and_no_secret_is_in_state_or_output(
    project: Project, api: Api
) -> None:
    printed = up(project, STACK)
    path = f"/api/v1/namespaces/{NAMESPACE}/secrets/vllm-api-key"
    first = api.get(path)["data"]["api-key"]
    rotated = "cm90YXRlZC1ieS1zb21lb25l"
    api.merge(path, {"data": {"api-key": rotated}})
    printed += pulumi(project, "preview", "--stack", STACK, "--expect-no-changes", "--diff")
    printed += up(project, STACK, "--refresh")
    state = pulumi(project, "stack", "export", "--stack", STACK, "--show-secrets")
    for secret in (first, rotated):
        assert secret not in printed + state
    assert api.get(path)["data"]["api-key"] == rotated
    destroy(project, STACK)
