"""A replica that spans two real nodes, by LeaderWorkerSet's controller.

A program is in vLLM's place: vLLM's CPU build starts over both nodes, and fails at the first
request.
"""

from __future__ import annotations

import secrets
from typing import Any

from node.places import FIRST, SECOND
from node.starting import Started
from tests.cluster.deploying import GROUPS, NAMESPACE, destroy, up, wait_for
from tests.cluster.inventory import inventory, leftovers
from tests.node.deployed import READY_SECONDS, Deployed, make_secret
from tests.node.pods import is_ready, make_pod
from tests.node.scripts import CHAT
from tests.node.stack import KEY_SECRET, STACK
from tests.node.test_weights_image import state_weights_image
from tests.project_copy import Project

MODEL = "qwen2.5-7b-instruct"
SERVICE = f"http://model.{NAMESPACE}:8000"
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def group_of(deployed: Deployed) -> list[dict[str, Any]]:
    """The replica's pods, by their place in it."""
    pods = deployed.api.items(f"{_PODS}?labelSelector=leaderworkerset.sigs.k8s.io/worker-index")
    index = "leaderworkerset.sigs.k8s.io/worker-index"
    return sorted(pods, key=lambda pod: int(pod["metadata"]["labels"][index]))


def test_both_parts_of_a_replica_serve_together_and_start_anew_together(
    node: Started, project: Project, figures: list[str]
) -> None:
    caller = make_pod(node, "default", "spans")
    deployed = Deployed(node, project, caller, inventory(node.api))
    key = secrets.token_hex(32)
    make_secret(node.api, KEY_SECRET, {"api-key": key})
    state_weights_image(
        project,
        node,
        **{
            "engine.pipelineParallel": 2,
            "pool.gpusPerNode": 1,
            "pool.nodeCount": 2,
        },
    )
    up(project, STACK)

    def serves() -> bool:
        pods = group_of(deployed)
        ready = [is_ready(node.api, f"{_PODS}/{pod['metadata']['name']}") for pod in pods]
        return len(pods) == 2 and all(ready)

    wait_for("both parts of the replica", serves, READY_SECONDS)
    leader, worker = group_of(deployed)
    assert {pod["spec"]["nodeName"] for pod in (leader, worker)} == {FIRST.name, SECOND.name}

    def answer() -> Any:
        return caller.json(CHAT, SERVICE, key, MODEL, "20")

    found = answer()
    assert found["status"] == 200, found
    assert found["body"]["usage"]["completion_tokens"] == 20
    figures.append(f"a replica over two nodes: 20 tokens in {found['seconds']:.1f} s")
    # One part alone can serve nothing: both are replaced, and it answers again.
    node.api.delete(f"{_PODS}/{worker['metadata']['name']}")
    old = {pod["metadata"]["uid"] for pod in (leader, worker)}
    wait_for(
        "both parts are new",
        lambda: not old & {pod["metadata"]["uid"] for pod in group_of(deployed)} and serves(),
        READY_SECONDS,
    )
    wait_for("an answer", lambda: answer()["status"] == 200, 60)
    assert node.api.get(GROUPS)["status"]["readyReplicas"] == 1
    destroy(project, STACK)
    node.api.delete(caller.path)
    assert leftovers(node.api, deployed.before) == set()
