"""Every stack of stacks/ goes through its whole life on a real API server, and leaves nothing.

So does each combination of mode, pool and network that no stack file has and the product accepts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from breakeven.catalog.pool_kinds import POOL_KINDS
from breakeven.settings.files import stack_names
from breakeven.settings.network import NETWORKS
from rig.api import Api
from tests.cluster.deploying import destroy, pulumi, ready_replicas, up
from tests.cluster.inventory import inventory, leftovers
from tests.pools import CLUSTER_API
from tests.project_copy import Project
from tests.recording import settings_of

_HYBRID = {"gateway.mode": "hybrid", "gateway.teams": {"chat": {}}}
FURTHER: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "existing-hybrid": ("on-prem", _HYBRID),
    "azure-hybrid": ("aks", {**_HYBRID, "gateway.overflow.requestsPerReplica": 128}),
    "gke-hybrid-from-zero": ("gke", {**_HYBRID, "replicas.min": 0, "api.inUse": "openai/gpt-4.1"}),
    "cluster-api-hybrid": ("on-prem", {**CLUSTER_API, **_HYBRID, "pool.gpuQuota": 16}),
    "air-gapped-hybrid": ("air-gapped", _HYBRID),
    "air-gapped-cluster-api": ("air-gapped", {**CLUSTER_API, "pool.gpuQuota": 16}),
    "air-gapped-cluster-api-hybrid": (
        "air-gapped",
        {**CLUSTER_API, **_HYBRID, "pool.gpuQuota": 16},
    ),
}
"""A stack file and what is changed in it, by the name of the combination."""
# A laptop's stack has no alerts as it ships, and a change shows in one of them.
_WITH_ALERTS: Mapping[str, Mapping[str, object]] = {"laptop": {"monitoring.enabled": True}}
ROWS = {**{name: (name, _WITH_ALERTS.get(name, {})) for name in stack_names()}, **FURTHER}


def test_every_combination_of_mode_pool_and_network_that_is_accepted_is_in_the_matrix() -> None:
    accepted = {
        (mode, pool.name, network)
        for mode in ("self-host", "hybrid")
        for pool in POOL_KINDS.values()
        for network in NETWORKS
        if network == "connected" or pool.runs_in_closed_network
    }
    found = set()
    for stack, changes in ROWS.values():
        settings = settings_of(stack, **changes)
        mode = settings.gateway.mode
        network = "air-gapped" if settings.network.is_air_gapped else "connected"
        found.add((mode, settings.pool.kind.name, network))
    assert found == accepted


@pytest.mark.parametrize("row", ROWS)
def test_a_stack_is_made_changed_refreshed_and_removed_without_orphans(
    project: Project, api: Api, row: str
) -> None:
    stack, changes = ROWS[row]
    project.set(stack, **changes)
    before = inventory(api)
    up(project, stack)
    made = inventory(api) - before
    assert any(name.startswith(("deployments/llm/", "leaderworkersets/llm/")) for name in made)
    assert ready_replicas(api) >= settings_of(stack, **changes).replicas.min

    pulumi(project, "preview", "--stack", stack, "--expect-no-changes")

    project.set(stack, **{"traffic.timeToFirstTokenSeconds": "3.5"})
    up(project, stack)
    rule = api.get("/apis/monitoring.coreos.com/v1/namespaces/llm/prometheusrules/model-latency")
    assert "> 3.5" in json.dumps(rule["spec"])
    assert inventory(api) - before >= made - {name for name in made if "nodeclaims" in name}

    pulumi(project, "refresh", "--stack", stack, "--yes", "--skip-preview", "--expect-no-changes")
    destroy(project, stack)
    assert leftovers(api, before) == set()


def test_a_pod_that_is_not_restricted_is_refused_where_models_are_served(
    project: Project, api: Api
) -> None:
    up(project, "on-prem")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "careless", "namespace": "llm"},
        "spec": {"containers": [{"name": "shell", "image": "example.invalid/shell"}]},
    }
    with pytest.raises(Exception, match='violates PodSecurity "restricted'):
        api.apply(pod)
    destroy(project, "on-prem")
