"""A hybrid stack in real containers: gateway, budgets, and an API that takes what replicas cannot.

The API is a stand-in on the node (`node.outside`), behind the name and the TLS of the real one.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from breakeven.manifests.gateway.labels import (
    EGRESS_LABELS,
    GATEWAY_LABELS,
    STORE_LABELS,
)
from node.places import ADDRESS, OUTSIDE
from node.starting import Started
from tests.cluster.deploying import NAMESPACE, destroy, up, wait_for
from tests.cluster.inventory import inventory, leftovers
from tests.node.deployed import Deployed, make_secret
from tests.node.pods import Background, Pod, is_ready, make_pod, said
from tests.node.scripts import CHAT, LOAD, REACH, STREAM
from tests.node.stack import STACK, gateway_images, write_stack
from tests.project_copy import Project

MODEL = "qwen2.5-7b-instruct"
GATEWAY = f"http://gateway.{NAMESPACE}:8000"
TEAMS = {
    "product": {"tokensPerDay": 1_000_000},
    "legal": {"dataMayLeave": False},
    "trial": {"tokensPerDay": 10},
}
_SETTLED_SECONDS = 120


@dataclass(frozen=True)
class Hybrid(Deployed):
    """A stack whose clients call a gateway with the keys of their teams."""

    keys: dict[str, str]

    def ask(self, team: str, tokens: int = 5) -> Any:
        """One chat completion."""
        key = self.keys.get(team, team)
        return self.caller.json(CHAT, GATEWAY, key, MODEL, str(tokens))

    def one_of(self, labels: dict[str, str], container: str | None = None) -> Pod:
        """A pod with these labels."""
        return Pod(self.node, NAMESPACE, self.pods(labels)[0]["metadata"]["name"], container)

    def refused(self) -> dict[str, int]:
        """What the gateways' logs say of failed tries: team, destination, status and reason."""
        lines = [
            json.loads(line)
            for labels in (GATEWAY_LABELS, EGRESS_LABELS)
            for pod in self.pods(dict(labels))
            for line in Pod(self.node, NAMESPACE, pod["metadata"]["name"]).log().splitlines()
            if line.startswith("{")
        ]
        return Counter(
            f"{line['team']} {line['to']} {line['status']} {line['why']}"
            for line in lines
            if int(line.get("status", 0)) >= 500
        )

    def asked_of_the_api(self) -> int:
        """How many chat completions the stand-in of the API was asked for."""
        log = self.node.places.root / "logs" / "outside.log"
        return log.read_text(encoding="utf-8").count("POST /v1/chat/completions")

    def wait_until_settled(self) -> None:
        """Waits until every pod is ready and both own replica and store answer."""
        self.wait_until_ready()

        def settled() -> bool:
            labels = (GATEWAY_LABELS, EGRESS_LABELS, STORE_LABELS)
            pods = [each for chosen in labels for each in self.pods(dict(chosen))]
            path = f"/api/v1/namespaces/{NAMESPACE}/pods/"
            ready = all(is_ready(self.api, path + each["metadata"]["name"]) for each in pods)
            return len(pods) == 5 and ready and self.ask("product")["by"] == "own"

        wait_for("a gateway that sends to the own replica", settled, _SETTLED_SECONDS)


@pytest.fixture(scope="module")
def hybrid(node: Started, project: Project) -> Iterator[Hybrid]:
    """The stack, deployed once; its removal is a test of its own."""
    caller = make_pod(node, "default", "team")
    before = inventory(node.api)
    keys = {team: f"sk-{secrets.token_hex(32)}" for team in TEAMS}
    make_secret(node.api, "team-keys", keys)
    make_secret(node.api, "overflow-api", {"api-key": "of-the-api"})
    write_stack(
        project,
        node,
        **{
            "gateway.mode": "hybrid",
            "gateway.teams": TEAMS,
            "gateway.overflow.timeoutSeconds": 60,
            "engine.longestRequestSeconds": 60,  # else pods take long to stop
            **gateway_images(node),
        },
    )
    up(project, STACK)
    deployed = Hybrid(node, project, caller, before, keys)
    deployed.wait_until_settled()
    yield deployed
    node.api.delete(caller.path)


def test_each_team_is_answered_by_the_own_replica_and_nobody_else_is(hybrid: Hybrid) -> None:
    for team in ("product", "legal"):
        answer = hybrid.ask(team)
        assert (answer["status"], answer["by"]) == (200, "own"), answer
    assert hybrid.ask("sk-of-nobody")["status"] == 401


def test_only_the_second_set_of_pods_reaches_the_internet(hybrid: Hybrid) -> None:
    node, api = hybrid.node, hybrid.api
    server = api.get(hybrid.engines()[0])["status"]["podIP"]
    api_server, kubelet = node.address.removeprefix("https://"), f"{ADDRESS}:10250"
    engine, public = f"{server}:8000", f"{OUTSIDE}:443"
    gate, way_out = f"gateway.{NAMESPACE}:8000", f"gateway-egress.{NAMESPACE}:8002"
    store = f"gateway-store.{NAMESPACE}:8081"
    front = api.get(hybrid.one_of(dict(GATEWAY_LABELS)).path)["status"]["podIP"]
    metrics = f"{front}:9464"
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "stranger"}})
    callers = {
        "front": hybrid.one_of(dict(GATEWAY_LABELS)),
        "way out": hybrid.one_of(dict(EGRESS_LABELS)),
        "store": hybrid.one_of(dict(STORE_LABELS), "valkey"),
        "client": hybrid.caller,
        "stranger": make_pod(node, "stranger", "probe"),
        "monitoring": make_pod(node, "monitoring", "probe"),
    }
    time.sleep(3)  # rules apply to a new pod once their enforcer has seen it
    inside = (api_server, kubelet)
    wanted = {
        "front": {
            **dict.fromkeys((engine, store, way_out), "open"),
            **dict.fromkeys((public, *inside), "refused"),
        },
        "way out": {
            **dict.fromkeys((public, "api.openai.com:443"), "open"),
            **dict.fromkeys((engine, store, *inside), "refused"),
        },
        "store": dict.fromkeys((public, engine, *inside), "refused"),
        "client": {gate: "open", **dict.fromkeys((engine, way_out, store, metrics), "refused")},
        "stranger": dict.fromkeys((gate, engine, way_out, store, metrics), "refused"),
        "monitoring": {
            **dict.fromkeys((metrics, engine), "open"),
            **dict.fromkeys((gate, way_out, store), "refused"),
        },
    }
    found = {caller: callers[caller].json(REACH, *targets) for caller, targets in wanted.items()}
    for caller in ("stranger", "monitoring"):
        api.delete(callers[caller].path)
    api.delete("/api/v1/namespaces/stranger")
    assert found == wanted


def test_a_team_that_has_used_up_its_tokens_waits_and_others_do_not(hybrid: Hybrid) -> None:
    assert hybrid.ask("trial", tokens=20)["status"] == 200

    def refused() -> bool:
        answer = hybrid.ask("trial")
        return bool(answer["status"] == 429 and int(answer["retry"]) > 0)

    wait_for("429 with Retry-After", refused, 30)
    assert hybrid.ask("product")["status"] == 200


def test_the_api_answers_while_no_replica_is_ready_and_never_for_what_stays_inside(
    hybrid: Hybrid, figures: list[str]
) -> None:
    hybrid.wait_until_settled()
    asked = (GATEWAY, hybrid.keys["product"], MODEL, "40", "2", "5")
    running = Background(hybrid.caller, LOAD, asked, seconds=120).start()
    before = hybrid.asked_of_the_api()
    hybrid.api.delete(hybrid.engines()[0])
    wait_for("an answer of the API", lambda: hybrid.ask("product")["by"] == "api", 60)
    inside = hybrid.ask("legal")
    answer = running.finish()
    figures.append(f"the only replica is deleted, team product: {said(answer)}; {answer['by']}")
    assert (inside["status"], bool(inside["retry"])) == (503, True), inside
    assert set(answer["statuses"]) == {"200"}, hybrid.refused()
    assert answer["by"]["api"] > 0
    assert hybrid.asked_of_the_api() > before
    hybrid.wait_until_settled()
    assert hybrid.ask("legal")["by"] == "own"


def test_requests_are_answered_while_the_store_is_away(hybrid: Hybrid, figures: list[str]) -> None:
    hybrid.wait_until_settled()
    asked = (GATEWAY, hybrid.keys["product"], MODEL, "25", "2", "5")
    running = Background(hybrid.caller, LOAD, asked, seconds=120).start()
    hybrid.api.delete(hybrid.one_of(dict(STORE_LABELS)).path)
    answer = running.finish()
    figures.append(f"the store's pod is deleted: {said(answer)}; {answer['by']}")
    assert set(answer["statuses"]) == {"200"}, answer
    assert set(answer["by"]) == {"own"}, answer


def test_a_gateway_pod_that_is_deleted_ends_its_streams_first(
    hybrid: Hybrid, figures: list[str]
) -> None:
    hybrid.wait_until_settled()
    tokens = 1000
    asked = (GATEWAY, hybrid.keys["product"], MODEL, str(tokens))
    running = Background(hybrid.caller, STREAM, asked).start()
    for pod in hybrid.pods(dict(GATEWAY_LABELS)):
        hybrid.api.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}")
    answer = running.finish()
    figures.append(f"gateway pods deleted in a stream: ended after {answer['seconds']:.0f} s")
    assert answer["error"] is None
    assert answer["done"]
    assert answer["usage"]["completion_tokens"] > 0


def test_it_is_removed_without_orphans(hybrid: Hybrid) -> None:
    destroy(hybrid.project, STACK)
    assert hybrid.api.find(f"/api/v1/namespaces/{NAMESPACE}") is None
    assert leftovers(hybrid.api, hybrid.before) == set()
