"""What is missing or broken when an update needs it: images, weights, volumes, quotas.

In each case the update says what is wrong while it waits, what served goes on serving, and the next
update finishes once it is put right.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from rig.api import Api
from tests.cluster.deploying import (
    DEPLOYMENT,
    NAMESPACE,
    Update,
    destroy,
    ready_replicas,
    up,
    wait_for,
)
from tests.cluster.kubelet import OTHER_IMAGE, containers_fail, no_image
from tests.cluster.machines import endpoints
from tests.cluster.quota import lift_quota, put_quota
from tests.project_copy import Project

STACK = "on-prem"
REGISTRY = "registry.hospital.internal:5000"  # of stack air-gapped
_A_REPLICA = 4  # GPUs


def waits(project: Project, stack: str, *says: str) -> None:
    """Starts an update, and interrupts it once it has said what it waits for."""
    update = Update(project, stack)
    for said in says:
        wait_for(f"the engine says: {said}", partial(update.has_said, said), seconds=120)
    assert update.runs
    update.kill(signal.SIGINT)


@pytest.mark.parametrize(
    ("stack", "image", "left"),
    [
        # The Job of the weights runs in the same image, before any replica is stopped.
        (STACK, OTHER_IMAGE, 2),
        # Without that Job, a replica has to go first: no GPU is spare.
        ("air-gapped", OTHER_IMAGE.replace("docker.io", REGISTRY), 1),
    ],
)
def test_an_image_that_is_missing_is_named_and_what_served_serves_on(
    project: Project, api: Api, stack: str, image: str, left: int
) -> None:
    up(project, stack)
    project.set(stack, **{"engine.image": OTHER_IMAGE})
    with no_image(api, image):
        waits(project, stack, "ImagePullBackOff", image)
        assert ready_replicas(api) == left
    up(project, stack)
    assert ready_replicas(api) == 2
    destroy(project, stack)


@pytest.mark.parametrize(
    "reason",
    [
        "failed: FetchError: model-00001.safetensors differs from the checksum of the hub",
        "failed: FetchError: 141.1 GB to fetch, but the volume has 3.2 GB free",
        "failed: OSError: [Errno 28] No space left on device",
    ],
    ids=["corrupt", "too small", "full"],
)
def test_weights_that_cannot_be_stored_are_reported_and_no_replica_starts(
    project: Project, api: Api, reason: str
) -> None:
    """What the script then does and says: tests/unit/manifests/serving/test_fetch_weights.py."""
    with containers_fail(api, "weights", reason):
        waits(project, STACK, reason)
        assert api.find(DEPLOYMENT) is None
    up(project, STACK)
    assert ready_replicas(api) == 2
    destroy(project, STACK)


def test_an_update_waits_while_a_quota_is_exhausted_and_finishes_once_it_is_raised(
    project: Project, api: Api
) -> None:
    update = Update(project, STACK)
    wait_for("the namespace is there", lambda: api.find(f"/api/v1/namespaces/{NAMESPACE}"))
    with _quota(api, _A_REPLICA):
        wait_for("the engine waits", partial(update.has_said, "1/2 Pods available"))
        assert "exceeded quota: gpus" in _replica_failure(api)
        assert ready_replicas(api) == 1
        assert update.runs
    update.finish()
    assert ready_replicas(api) == 2
    destroy(project, STACK)


def test_a_replica_more_than_a_quota_allows_stops_none_and_comes_once_it_is_raised(
    project: Project, api: Api
) -> None:
    project.set(STACK, **{"replicas.min": 1, "replicas.max": 1})
    up(project, STACK)
    [served] = endpoints(api)
    with _quota(api, _A_REPLICA):
        project.set(STACK, **{"replicas.min": 2, "replicas.max": 2})
        update = Update(project, STACK)
        wait_for("it is refused", lambda: "exceeded quota: gpus" in _replica_failure(api))
        # Longer than a rollout of one replica takes here.
        time.sleep(20)
        assert endpoints(api) == {served}
    update.finish()
    wait_for("two serve", lambda: ready_replicas(api) == 2)
    destroy(project, STACK)


@contextmanager
def _quota(api: Api, gpus: int) -> Iterator[None]:
    """Allows so many GPUs in the namespace."""
    put_quota(api, "gpus", {"requests.nvidia.com/gpu": f"{gpus}"})
    yield
    lift_quota(api, "gpus")


def _replica_failure(api: Api) -> str:
    found = [
        condition["message"]
        for condition in api.get(DEPLOYMENT)["status"].get("conditions", ())
        if condition["type"] == "ReplicaFailure"
    ]
    return "".join(found)
