"""Pods that cannot start: their image is missing, a quota refuses them, the pool may not grow.

The update says so in good time, what served goes on serving, and it finishes once there is room.
"""

from __future__ import annotations

import time
from functools import partial

from breakeven.manifests.serving import timings
from rig.api import Api
from tests.cluster.deploying import (
    NAMESPACE,
    Update,
    destroy,
    ready_replicas,
    up,
    wait_for,
)
from tests.cluster.kubelet import OTHER_IMAGE, no_image
from tests.cluster.machines import unschedulable
from tests.cluster.quota import lift_quota, put_quota
from tests.project_copy import Project
from tests.recording import settings_of

STACK = "on-prem"
# `pulumi config set` takes forty zeros for the number 0.
OTHER_REVISION = "f" * 40
NODE_POOLS = "/apis/karpenter.sh/v1/nodepools"


def failing_up(project: Project, stack: str, *, within: float) -> str:
    """Runs an update that must fail within some seconds, and returns what it printed."""
    started = time.monotonic()
    failed = project.pulumi("up", "--stack", stack, "--yes", "--skip-preview")
    assert failed.returncode != 0
    assert time.monotonic() - started < within
    return failed.stdout


def test_a_missing_image_ends_the_update_with_the_pod_and_the_reason_and_what_served_serves_on(
    project: Project, api: Api
) -> None:
    shortened = project.root / "components/breakeven/manifests/serving/timings.py"
    text, line = shortened.read_text(encoding="utf-8"), "\nCHECK = NODE_START + 60\n"
    assert text.count(line) == 1
    # Twenty seconds for the sixteen minutes that a machine and a large image are given.
    assert timings.CHECK <= 20 * 60
    shortened.write_text(text.replace(line, "\nCHECK = 20\n"), encoding="utf-8")
    up(project, STACK)
    project.set(STACK, **{"engine.image": OTHER_IMAGE})
    with no_image(api, OTHER_IMAGE):
        said = failing_up(project, STACK, within=90)
    _, _, error = said.partition("Diagnostics:")
    assert "[Pod llm/model-weights-check-" in error
    assert f'[ImagePullBackOff] Back-off pulling image "{OTHER_IMAGE}"' in error
    assert ready_replicas(api) == 2
    up(project, STACK)
    assert ready_replicas(api) == 2
    destroy(project, STACK)


def test_a_quota_of_storage_is_named_at_once_and_what_served_serves_on(
    project: Project, api: Api
) -> None:
    up(project, STACK)
    put_quota(api, "tenant", {"requests.storage": "200Gi"})
    first = settings_of(STACK).model.revision
    project.set(STACK, **{"model.revision": OTHER_REVISION, "model.previousRevision": first})
    said = failing_up(project, STACK, within=60)
    assert "exceeded quota: tenant, requested: requests.storage=" in said
    assert ready_replicas(api) == 2
    put_quota(api, "tenant", {"requests.storage": "400Gi"})
    up(project, STACK)
    assert ready_replicas(api) == 2
    lift_quota(api, "tenant")
    destroy(project, STACK)


def test_an_update_waits_while_the_pools_limit_is_reached_and_finishes_when_it_is_raised(
    project: Project, api: Api
) -> None:
    update = Update(project, "aws-prod")
    wait_for("the pool is there", lambda: list(api.items(NODE_POOLS)))
    [pool] = api.items(NODE_POOLS)
    path = f"{NODE_POOLS}/{pool['metadata']['name']}"
    limits = pool["spec"]["limits"]
    api.merge(path, {"spec": {"limits": dict.fromkeys(limits, "0")}})
    wait_for("a replica finds no node", lambda: unschedulable(api))
    wait_for("the engine says so", partial(update.has_said, "0/1 Pods available"))
    [pod] = unschedulable(api)
    wait_for("Karpenter says why", lambda: "exceed limits for nodepool" in events(api, pod))
    assert update.runs
    api.merge(path, {"spec": {"limits": limits}})
    update.finish()
    assert ready_replicas(api) == 2
    destroy(project, "aws-prod")


def events(api: Api, pod: str) -> str:
    """Returns what is reported of a pod."""
    path = f"/api/v1/namespaces/{NAMESPACE}/events?fieldSelector=involvedObject.name={pod}"
    return "\n".join(str(event["message"]) for event in api.items(path))
