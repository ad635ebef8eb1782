"""A hybrid stack over two real nodes: where its pods run, and what a lost node costs."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from breakeven.manifests.gateway.labels import GATEWAY_LABELS
from breakeven.manifests.serving.labels import ENGINE_LABELS
from node.places import FIRST, SECOND
from node.starting import Started
from tests.cluster.deploying import NAMESPACE, up, wait_for
from tests.cluster.inventory import inventory
from tests.node.deployed import Deployed, make_secret
from tests.node.pods import Background, is_ready, make_pod, said
from tests.node.scripts import CHAT, LOAD, REACH, STREAM
from tests.node.stack import STACK, gateway_images
from tests.node.test_weights_image import state_weights_image
from tests.project_copy import Project

MODEL = "qwen2.5-7b-instruct"
GATEWAY = f"http://gateway.{NAMESPACE}:8000"
KEY = f"sk-{secrets.token_hex(32)}"
BOTH = {FIRST.name, SECOND.name}
# Silence until a node counts as lost, what pods bear of it, and the start of others.
_REPLACED_SECONDS = 600


@dataclass(frozen=True)
class Spread(Deployed):
    """A stack with two replicas and two gateway pods."""

    def on(self, labels: dict[str, str]) -> list[str]:
        """The nodes of ready pods with these labels."""
        return sorted(
            each["spec"]["nodeName"]
            for each in self.pods(labels)
            if is_ready(self.api, f"/api/v1/namespaces/{NAMESPACE}/pods/{each['metadata']['name']}")
        )

    def front(self, node: str) -> str:
        """The address of the gateway's pod on a node."""
        [pod] = [p for p in self.pods(dict(GATEWAY_LABELS)) if p["spec"]["nodeName"] == node]
        return f"http://{pod['status']['podIP']}:8000"

    def ask(self, address: str = GATEWAY) -> Any:
        """One chat completion."""
        return self.caller.json(CHAT, address, KEY, MODEL, "5")


@pytest.fixture(scope="module")
def spread(node: Started, project: Project) -> Iterator[Spread]:
    """The stack, deployed once."""
    caller = make_pod(node, "default", "team")
    before = inventory(node.api)
    make_secret(node.api, "team-keys", {"product": KEY})
    make_secret(node.api, "overflow-api", {"api-key": "of-the-api"})
    state_weights_image(
        project,
        node,
        **{
            "pool.nodeCount": 2,
            "replicas.min": 2,
            "replicas.max": 2,
            "gateway.mode": "hybrid",
            "gateway.teams": {"product": {"tokensPerDay": 10_000_000}},
            **gateway_images(node),
        },
    )
    up(project, STACK)
    deployed = Spread(node, project, caller, before)
    deployed.wait_until_ready(2)
    wait_for("the gateway answers", lambda: deployed.ask()["by"] == "own", 120)
    yield deployed
    node.api.delete(caller.path)


def test_replicas_and_gateway_pods_run_on_different_nodes(spread: Spread) -> None:
    assert set(spread.on(dict(ENGINE_LABELS))) == BOTH
    assert set(spread.on(dict(GATEWAY_LABELS))) == BOTH


def test_pods_reach_each_other_across_nodes_as_the_rules_say(spread: Spread) -> None:
    front = spread.front(SECOND.name).removeprefix("http://")
    assert spread.caller.json(REACH, front) == {front: "open"}
    engines = [f"{p['status']['podIP']}:8000" for p in spread.pods(dict(ENGINE_LABELS))]
    assert set(spread.caller.json(REACH, *engines).values()) == {"refused"}
    for node in BOTH:
        answer = spread.ask(spread.front(node))
        assert (answer["status"], answer["by"]) == (200, "own"), answer


def test_a_taint_of_gpu_nodes_keeps_gateways_away_and_no_replica(spread: Spread) -> None:
    node = f"/api/v1/nodes/{SECOND.name}"
    taint = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    spread.api.merge(node, {"spec": {"taints": [taint]}})
    for labels in (GATEWAY_LABELS, ENGINE_LABELS):
        for pod in spread.pods(dict(labels)):
            if pod["spec"]["nodeName"] == SECOND.name:
                spread.api.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}")
    first = [FIRST.name, FIRST.name]
    wait_for("both gateways on one node", lambda: spread.on(dict(GATEWAY_LABELS)) == first, 300)
    spread.wait_until_ready(2)
    assert set(spread.on(dict(ENGINE_LABELS))) == BOTH
    spread.api.merge(node, {"spec": {"taints": None}})
    spread.api.delete(
        f"/api/v1/namespaces/{NAMESPACE}/pods/{spread.pods(dict(GATEWAY_LABELS))[0]['metadata']['name']}"
    )
    wait_for("gateways on both", lambda: set(spread.on(dict(GATEWAY_LABELS))) == BOTH, 300)


def test_a_node_that_is_lost_takes_its_streams_and_no_request_that_has_not_begun(
    spread: Spread, figures: list[str]
) -> None:
    front = spread.front(FIRST.name)
    load = Background(spread.caller, LOAD, (front, KEY, MODEL, "120", "2", "5"), 300).start()
    streams = [
        Background(spread.caller, STREAM, (front, KEY, MODEL, "1500"), 300).start()
        for _ in range(4)
    ]
    time.sleep(3)
    began = time.monotonic()
    spread.node.namespaces.lose(SECOND)
    answer = load.finish()
    ends = [each.finish() for each in streams]
    cut = sum(1 for each in ends if not each["done"])
    figures.append(f"a node is lost, through the other's gateway: {said(answer)}; {answer['by']}")
    figures.append(f"a node is lost: {cut} of {len(ends)} streams cut")
    first = [FIRST.name, FIRST.name]
    wait_for("replicas on the first node", lambda: spread.on(dict(ENGINE_LABELS)) == first, 600)
    figures.append(f"a node is lost: replicas replaced after {time.monotonic() - began:.0f} s")
    assert set(answer["statuses"]) == {"200"}, answer
    assert spread.ask()["status"] == 200
    wait_for(
        "gateways on the first node",
        lambda: spread.on(dict(GATEWAY_LABELS)) == first,
        _REPLACED_SECONDS,
    )
    figures.append(f"a node is lost: gateway pods replaced after {time.monotonic() - began:.0f} s")
