"""Replicas that span several nodes, by LeaderWorkerSet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from breakeven.manifests.autoscaling.component import autoscaling_component
from breakeven.manifests.serving.labels import GROUP_NAME, answering_labels
from breakeven.manifests.serving.timings import timings_of
from tests.recording import Registration, resources_of, settings_of

Served = Callable[..., Registration]

STACK = "owned-h100"
AUTOSCALED = {
    "replicas.autoscaling": True,
    "replicas.min": 1,
    "replicas.max": 2,
    "pool.gpuQuota": 0,
}


@pytest.fixture
def group(served: Served) -> Any:
    return served(STACK).engine.spec["leaderWorkerTemplate"]


def container(template: Mapping[str, Any]) -> Mapping[str, Any]:
    [only] = template["spec"]["containers"]
    assert isinstance(only, Mapping)
    return only


def test_a_replica_has_as_many_pods_as_the_model_needs_nodes(group: Any) -> None:
    settings = settings_of(STACK)
    assert group["size"] == settings.engine.pipeline_parallel == 2
    for template in (group["leaderTemplate"], group["workerTemplate"]):
        limits = container(template)["resources"]["limits"]
        assert limits["nvidia.com/gpu"] == str(settings.pool.gpus_per_node)


def test_all_nodes_of_a_replica_run_the_same_engine_and_only_the_first_is_asked(group: Any) -> None:
    leader, worker = container(group["leaderTemplate"]), container(group["workerTemplate"])
    assert leader["image"] == worker["image"]
    assert set(worker["args"]) - set(leader["args"]) == {"--headless"}
    for flag in (
        "--tensor-parallel-size=8",
        "--pipeline-parallel-size=2",
        "--nnodes=2",
        "--node-rank=$(LWS_WORKER_INDEX)",
        "--master-addr=$(LWS_LEADER_ADDRESS)",
    ):
        assert flag in leader["args"]
    # A worker listens to no client: probes and metrics would find nothing.
    assert not worker.keys() & {"ports", "startupProbe", "readinessProbe", "livenessProbe"}


def test_workers_stay_until_the_requests_of_their_replica_have_ended(group: Any) -> None:
    timings = timings_of(settings_of(STACK))
    sleeping = container(group["workerTemplate"])["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert sleeping == timings.pre_stop + timings.drain
    assert group["workerTemplate"]["spec"]["terminationGracePeriodSeconds"] > sleeping


def test_a_replica_that_lost_a_node_starts_anew(group: Any) -> None:
    assert group["restartPolicy"] == "RecreateGroupOnPodRestart"


def test_the_service_leads_to_the_first_node_of_each_replica(served: Served) -> None:
    service = served(STACK).one("Service")
    assert service.spec["selector"] == answering_labels(settings_of(STACK))
    # The controller makes a Service of the set's own name.
    assert service.metadata["name"] != served(STACK).engine.metadata["name"]


@pytest.mark.parametrize(("quota", "surge"), [(16, 0), (32, 1)])
def test_an_update_adds_a_replica_only_where_its_nodes_are_to_be_had(
    served: Served, quota: int, surge: int
) -> None:
    strategy = served(STACK, **{"pool.gpuQuota": quota}).engine.spec["rolloutStrategy"]
    assert strategy["rollingUpdateConfiguration"] == {
        "maxSurge": surge,
        "maxUnavailable": 1 - surge,
    }


def test_the_number_of_replicas_has_one_owner(served: Served) -> None:
    assert served(STACK).engine.spec["replicas"] == 1
    assert "replicas" not in served(STACK, **AUTOSCALED).engine.spec


def test_what_scales_is_the_set() -> None:
    settings = settings_of(STACK, **AUTOSCALED)
    registration = resources_of(autoscaling_component("autoscaling", settings))
    assert registration.one("ScaledObject").spec["scaleTargetRef"] == {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "name": GROUP_NAME,
    }
