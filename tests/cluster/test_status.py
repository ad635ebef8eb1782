"""Status of a deployment on a real API server: what runs, why a replica does not, and the money.

The manifests of a stack are applied as they are rendered. No container runs: kwok plays the kubelet
of a node with eight GPUs, and a Stage of its own lets it report what goes wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from breakeven.cluster.connection import Cluster, connect
from breakeven.cluster.preflight.needs import Needs
from breakeven.cluster.prometheus import Prometheus
from breakeven.cluster.status.observe import observe
from breakeven.cluster.status.plan import plan_of
from breakeven.cluster.status.snapshot import Cause, Snapshot
from breakeven.manifests.render import render
from breakeven.planning.offline import load_stack
from rig.api import Api
from rig.cluster import Rig
from tests.cluster.deploying import NAMESPACE, wait_for
from tests.cluster.kubelet import no_image
from tests.cluster.quota import lift_quota, put_quota

STACK = "on-prem"
REPLICAS = 2
_APPLIED = ("Namespace", "ServiceAccount", "ConfigMap", "PersistentVolumeClaim", "Deployment")


@pytest.fixture(scope="module")
def deployed(rig: Rig) -> Iterator[tuple[Rig, Needs, Cluster]]:
    """The stack's own objects, applied; their namespace is gone at the end."""
    loaded = load_stack(STACK)
    needs = Needs(STACK, loaded.stack, render(loaded.stack))
    cluster = connect(rig.kubeconfig)
    for kind in _APPLIED:
        for resource in needs.resources:
            if resource.kind == kind and resource.namespace in (None, NAMESPACE):
                rig.api.apply(resource.manifest)
    yield rig, needs, cluster
    rig.api.delete(f"/api/v1/namespaces/{NAMESPACE}")
    wait_for("the namespace is gone", lambda: not rig.api.find(f"/api/v1/namespaces/{NAMESPACE}"))


def _look(deployed: tuple[Rig, Needs, Cluster]) -> Snapshot:
    rig, needs, cluster = deployed
    plan = plan_of(load_stack(STACK).report())
    return observe(needs, cluster, Prometheus.at(rig.prometheus), plan, datetime.now(tz=UTC))


def _await_all_ready(deployed: tuple[Rig, Needs, Cluster]) -> None:
    wait_for("all replicas are ready", lambda: _look(deployed).models[0].ready == REPLICAS)


def _causes(seen: Snapshot) -> set[Cause]:
    return {each.cause for model in seen.models for each in model.not_ready}


def _restart(api: Api) -> None:
    for pod in api.items(f"/api/v1/namespaces/{NAMESPACE}/pods"):
        api.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}")


def test_replicas_nodes_and_money_are_those_of_the_cluster(
    deployed: tuple[Rig, Needs, Cluster],
) -> None:
    _await_all_ready(deployed)
    seen = _look(deployed)
    [model] = seen.models
    assert (model.wanted, model.ready, model.not_ready) == (REPLICAS, REPLICAS, [])
    # The node of stack air-gapped has the same labels.
    assert [(each.count, each.ready) for each in seen.nodes] == [(2, 2)]
    # The one node that the stack states is paid, so an hour now costs what the plan says.
    assert seen.spend.hourly_now is not None
    assert abs(seen.spend.hourly_now - seen.spend.planned_hourly) < Decimal("0.01")
    assert seen.missing == []
    assert seen.alerts == []


def test_an_image_that_no_node_finds_is_the_cause(deployed: tuple[Rig, Needs, Cluster]) -> None:
    rig, needs, _ = deployed
    with no_image(rig.api, needs.stack.models[0].engine.image):
        _restart(rig.api)
        wait_for("the cause is the image", lambda: _causes(_look(deployed)) == {Cause.IMAGE})
    _await_all_ready(deployed)


def test_a_gpu_that_is_not_free_is_the_cause(deployed: tuple[Rig, Needs, Cluster]) -> None:
    rig, _, _ = deployed
    nodes = [f"/api/v1/nodes/{name}" for name in ("on-prem-0", "air-gapped-0")]
    try:
        for node in nodes:
            rig.api.merge(node, {"spec": {"unschedulable": True}})
        _restart(rig.api)
        wait_for("the cause is the GPU", lambda: _causes(_look(deployed)) == {Cause.GPU})
    finally:
        for node in nodes:
            rig.api.merge(node, {"spec": {"unschedulable": None}})
    _await_all_ready(deployed)


def test_a_quota_that_forbids_the_pod_is_the_cause(deployed: tuple[Rig, Needs, Cluster]) -> None:
    rig, _, _ = deployed
    put_quota(rig.api, "none", {"pods": "0"})
    try:
        _restart(rig.api)
        wait_for("the cause is the quota", lambda: _causes(_look(deployed)) == {Cause.QUOTA})
    finally:
        lift_quota(rig.api, "none")
