"""Every stack of stacks/ goes through its whole life on a real API server, and leaves nothing."""

from __future__ import annotations

import json

import pytest
from rig.api import Api

from components.project import stack_names
from tests.cluster.deploying import destroy, pulumi, ready_replicas, up
from tests.cluster.inventory import inventory, leftovers
from tests.project_copy import Project


@pytest.mark.parametrize("stack", stack_names())
def test_a_stack_is_made_changed_refreshed_and_removed_without_orphans(
    project: Project, api: Api, stack: str
) -> None:
    before = inventory(api)
    up(project, stack)
    made = inventory(api) - before
    assert any(name.startswith(("deployments/llm/", "leaderworkersets/llm/")) for name in made)
    assert ready_replicas(api) >= 1

    pulumi(project, "preview", "--stack", stack, "--expect-no-changes")

    project.set(stack, timeToFirstTokenSeconds="3.5")
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
