"""What a user sees where a cluster refuses a self-host stack something: a quota, the hub, a volume.

In each case the update says why while it waits, `breakeven status` says it too, and the next update
works once it is put right.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from functools import partial

import pytest

from breakeven.manifests.serving.labels import WEIGHTS_LABELS
from node import engine, images
from node.outside import GATED, REJECTED
from node.starting import Started
from tests.cluster.deploying import (
    DEPLOYMENT,
    NAMESPACE,
    Update,
    destroy,
    end_updates,
    up,
    wait_for,
)
from tests.cluster.inventory import inventory, leftovers
from tests.cluster.quota import lift_quota, put_quota
from tests.node.deployed import READY_SECONDS, Deployed, breakeven, make_secret, secret
from tests.node.pods import make_pod
from tests.node.scripts import CHAT
from tests.node.stack import KEY_SECRET, STACK, write_stack
from tests.node.test_weights_image import state_weights_image
from tests.project_copy import Project

MODEL = "qwen2.5-7b-instruct"
GPUS = {"requests.nvidia.com/gpu": "0"}
TOKEN = "hub-token"  # a Secret's name


@pytest.fixture(scope="module")
def refused(node: Started, project: Project) -> Iterator[Deployed]:
    """A client, and nothing deployed yet; each test leaves the cluster as it was."""
    caller = make_pod(node, "default", "refused")
    yield Deployed(node, project, caller, inventory(node.api))
    end_updates()
    node.api.delete(caller.path)


def status(deployed: Deployed) -> str:
    """What `breakeven status` prints, in one line."""
    found = breakeven(deployed.project, "status", STACK)
    return " ".join((found.stdout + found.stderr).split())


def serves(deployed: Deployed) -> None:
    """Requires an answer, and removes the stack."""
    deployed.wait_until_ready()
    key = secret(deployed.api, KEY_SECRET)["api-key"]
    answer = deployed.caller.json(CHAT, f"http://model.{NAMESPACE}:8000", key, MODEL, "5")
    assert answer["status"] == 200, answer
    destroy(deployed.project, STACK)
    assert leftovers(deployed.api, deployed.before) == set()


def test_a_quota_that_stops_the_pod_is_told_and_the_same_update_goes_on_once_it_is_lifted(
    refused: Deployed, figures: list[str]
) -> None:
    api = refused.api
    state_weights_image(refused.project, refused.node)
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    put_quota(api, "gpus", GPUS)
    update = Update(refused.project, STACK)
    wait_for("the pod is refused", lambda: "exceeded quota: gpus" in failure(refused), 300)
    seen = status(refused)
    figures.append(f"a quota, status: {seen[seen.find('1 wanted') :][:300]}")
    assert "1 not ready (quota)" in seen
    assert "exceeded quota: gpus" in seen
    events = [each["message"] for each in api.items(f"/api/v1/namespaces/{NAMESPACE}/events")]
    assert any("exceeded quota: gpus" in message for message in events), events
    # Pulumi itself only says that it waits.
    assert update.has_said("0/1 Pods available")
    assert update.runs
    lift_quota(api, "gpus")
    assert update.wait() == 0, update.output[-4000:]
    serves(refused)


def failure(deployed: Deployed) -> str:
    """Why the replica's pod is not made."""
    found = deployed.api.find(DEPLOYMENT) or {}
    return "".join(
        condition["message"]
        for condition in found.get("status", {}).get("conditions", ())
        if condition["type"] == "ReplicaFailure"
    )


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (REJECTED, "the hub rejects the token of weights.hubTokenSecret (status 401)"),
        (GATED, "may not read Qwen/Qwen2.5-7B-Instruct (status 403)"),
    ],
    ids=["revoked", "without access"],
)
def test_a_token_that_the_hub_refuses_is_told_and_no_replica_starts(
    refused: Deployed, figures: list[str], token: str, said: str
) -> None:
    write_stack(
        refused.project,
        refused.node,
        **{
            "engine.image": images.reference(refused.node.places, engine.STAND_IN),
            "engine.longestRequestSeconds": 60,
            "weights.hubTokenSecret": TOKEN,
        },
    )
    make_secret(refused.api, TOKEN, {"token": token})
    waits(refused, figures, said)
    make_secret(refused.api, TOKEN, {"token": "hf_good"})
    up(refused.project, STACK)
    serves(refused)


def test_a_volume_that_is_too_small_is_told_and_no_replica_starts(
    refused: Deployed, figures: list[str]
) -> None:
    image = images.reference(refused.node.places, engine.STAND_IN)
    common = {"engine.image": image, "engine.longestRequestSeconds": 60}
    small = {
        "weights.storageClass": "node-small",
        "pricing.overrides": {"volume/none/node-small": "0"},
    }
    write_stack(refused.project, refused.node, **common, **small)
    waits(refused, figures, "to fetch, but the volume has 0.00 GB free")
    write_stack(refused.project, refused.node, **common)
    up(refused.project, STACK)
    serves(refused)


def waits(deployed: Deployed, figures: list[str], said: str) -> None:
    """Starts an update, and interrupts it once it and the status have said what it waits for."""
    update = Update(deployed.project, STACK)
    wait_for(f"the update says: {said}", partial(update.has_said, said), READY_SECONDS)
    assert update.runs
    assert deployed.api.find(DEPLOYMENT) is None
    assert deployed.pods(dict(WEIGHTS_LABELS))
    seen = status(deployed)
    figures.append(f"weights, status: {seen[seen.find('not deployed') :][:300]}")
    assert "not ready (weights)" in seen
    # A screen has less room than the log.
    assert " ".join(said.split()[:3]) in seen
    update.kill(signal.SIGINT)
