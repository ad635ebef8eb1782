"""A self-host stack in real containers: made, asked, changed, broken, and removed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from breakeven.manifests.serving.labels import WEIGHTS_LABELS
from node.places import ADDRESS, OUTSIDE
from node.starting import Started
from tests.cluster.deploying import DEPLOYMENT, NAMESPACE, destroy, pulumi, up, wait_for
from tests.cluster.inventory import inventory, leftovers
from tests.node.deployed import READY_SECONDS, Deployed, secret
from tests.node.pods import Background, make_pod, said
from tests.node.scripts import CHAT, LOAD, REACH, STREAM
from tests.node.stack import KEY_SECRET, STACK, write_stack
from tests.project_copy import Project

MODEL = "qwen2.5-7b-instruct"
SERVICE = f"http://model.{NAMESPACE}:8000"


@dataclass(frozen=True)
class SelfHosted(Deployed):
    """A stack whose clients call the model with one key."""

    key: str


@pytest.fixture(scope="module")
def deployed(node: Started, project: Project) -> Iterator[SelfHosted]:
    """The stack, deployed once; its removal is a test of its own."""
    caller = make_pod(node, "default", "caller")
    before = inventory(node.api)
    write_stack(project, node)
    up(project, STACK)
    yield SelfHosted(node, project, caller, before, secret(node.api, KEY_SECRET)["api-key"])
    node.api.delete(caller.path)


def test_every_pod_runs_under_the_restricted_standard(deployed: SelfHosted) -> None:
    labels = deployed.api.get(f"/api/v1/namespaces/{NAMESPACE}")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    pods = {each["metadata"]["name"]: each["status"]["phase"] for each in deployed.pods()}
    assert set(pods.values()) == {"Running", "Succeeded"}, pods
    seen = deployed.engine().python("print(open('/proc/self/status').read())")
    status = dict(line.split(":\t", 1) for line in seen.splitlines() if ":\t" in line)
    assert status["Uid"].split()[0] == "10001"
    assert int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_a_chat_is_answered_with_the_key_and_with_no_other(deployed: SelfHosted) -> None:
    answer = deployed.caller.json(CHAT, SERVICE, deployed.key, MODEL, "5")
    assert answer["status"] == 200, answer
    assert answer["body"]["usage"]["completion_tokens"] == 5
    for key in ("wrong", ""):
        assert deployed.caller.json(CHAT, SERVICE, key, MODEL, "5")["status"] == 401


def test_the_weights_came_from_the_hub_through_the_rule_of_their_job(deployed: SelfHosted) -> None:
    log = deployed.node.places.root / "logs" / "outside.log"
    fetched = [line for line in log.read_text(encoding="utf-8").splitlines() if "/resolve/" in line]
    assert any(line.endswith("/model.safetensors") for line in fetched), fetched


def test_pods_reach_only_what_the_rules_name(deployed: SelfHosted) -> None:
    node, engine = deployed.node, f"model.{NAMESPACE}:8000"
    server = deployed.api.get(deployed.engines()[0])["status"]["podIP"]
    api_server, kubelet = deployed.node.address.removeprefix("https://"), f"{ADDRESS}:10250"
    outside, public = f"{OUTSIDE}:443", "huggingface.co:443"
    inside = (f"{server}:8000", api_server, kubelet)
    node.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "stranger"}})
    callers = {
        "client": deployed.caller,
        "stranger": make_pod(node, "stranger", "probe"),
        "monitoring": make_pod(node, "monitoring", "probe"),
        "weights": make_pod(node, NAMESPACE, "weights-probe", labels=WEIGHTS_LABELS),
        "nobody": make_pod(node, NAMESPACE, "nobody-probe"),
        "engine": deployed.engine(),
    }
    # Rules apply to a new pod once their enforcer has seen it.
    time.sleep(3)
    wanted = {
        "client": {engine: "open", f"{server}:8000": "open"},
        "stranger": {engine: "refused", f"{server}:8000": "refused"},
        "monitoring": {engine: "open", f"{server}:8000": "open"},
        "weights": {
            public: "open",
            outside: "open",
            **dict.fromkeys((engine, *inside), "refused"),
        },
        "nobody": {public: "no name", outside: "refused", **dict.fromkeys(inside, "refused")},
        "engine": {public: "no name", **dict.fromkeys((outside, *inside[1:]), "refused")},
    }
    found = {caller: callers[caller].json(REACH, *targets) for caller, targets in wanted.items()}
    for caller in ("stranger", "monitoring", "weights", "nobody"):
        node.api.delete(callers[caller].path)
    node.api.delete("/api/v1/namespaces/stranger")
    assert found == wanted


def test_a_pod_that_is_deleted_ends_its_streams_first(
    deployed: SelfHosted, figures: list[str]
) -> None:
    tokens = 1000
    deployed.wait_until_ready()
    asked = (SERVICE, deployed.key, MODEL, str(tokens))
    running = Background(deployed.caller, STREAM, asked).start()
    [path] = deployed.engines()
    deployed.api.delete(path)
    answer = running.finish()
    figures.append(f"a pod deleted in a stream: ended in full after {answer['seconds']:.0f} s")
    assert answer["error"] is None
    assert answer["done"]
    assert answer["usage"]["completion_tokens"] == tokens
    deployed.wait_until_ready()


def test_an_engine_that_dies_in_a_stream_is_started_again(deployed: SelfHosted) -> None:
    deployed.wait_until_ready()
    asked = (SERVICE, deployed.key, MODEL, "100000")
    running = Background(deployed.caller, STREAM, asked).start()
    deployed.engine().python(_KILL_CORE)
    answer = running.finish()
    assert answer["usage"] is None, "a stump must not look like an answer"
    assert answer["error"], answer
    [path] = deployed.engines()

    def restarted() -> bool:
        [status] = deployed.api.get(path)["status"]["containerStatuses"]
        return int(status["restartCount"]) == 1 and bool(status["ready"])

    wait_for("the engine serves again in its pod", restarted, READY_SECONDS)
    assert deployed.caller.json(CHAT, SERVICE, deployed.key, MODEL, "5")["status"] == 200


_KILL_CORE = """
import os, pathlib, signal
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        name = (folder / "cmdline").read_bytes() + (folder / "comm").read_bytes()
    except OSError:
        continue
    if b"EngineCor" in name:
        os.kill(int(folder.name), signal.SIGKILL)
"""


def test_a_change_that_replaces_the_pod_loses_no_request(
    deployed: SelfHosted, figures: list[str]
) -> None:
    deployed.wait_until_ready()
    [before] = deployed.engines()
    asked = (SERVICE, deployed.key, MODEL, "150", "2", "5")
    running = Background(deployed.caller, LOAD, asked, seconds=600).start()
    write_stack(deployed.project, deployed.node, **{"engine.longestRequestSeconds": 60})
    up(deployed.project, STACK)
    deployed.wait_until_ready()
    after = deployed.engines()
    answer = running.finish()
    figures.append(f"a change that replaces the pod: {said(answer)}")
    assert after != [before]
    assert set(answer["statuses"]) == {"200"}, answer


def test_an_image_that_is_missing_leaves_the_old_replica_serving(deployed: SelfHosted) -> None:
    missing = f"node.local/missing:1@sha256:{'0' * 64}"
    deployed.wait_until_ready()
    deployment = deployed.api.get(DEPLOYMENT)
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    patch = {"spec": {"template": {"spec": {"containers": [{**container, "image": missing}]}}}}
    deployed.api.merge(DEPLOYMENT, patch)

    def waits() -> bool:
        reasons = [
            each.get("state", {}).get("waiting", {}).get("reason", "")
            for path in deployed.engines()
            for each in deployed.api.get(path)["status"].get("containerStatuses", ())
        ]
        return any(reason in ("ErrImagePull", "ImagePullBackOff") for reason in reasons)

    wait_for("a pod that waits for its image", waits, READY_SECONDS)
    assert deployed.caller.json(CHAT, SERVICE, deployed.key, MODEL, "5")["status"] == 200
    # By whoever changed it: an update would refuse a field that someone else has taken.
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    deployed.api.merge(DEPLOYMENT, patch)
    deployed.wait_until_ready()


def test_it_is_as_it_was_deployed_and_is_removed_without_orphans(deployed: SelfHosted) -> None:
    unchanged = ("refresh", "--stack", STACK, "--yes", "--skip-preview", "--expect-no-changes")
    pulumi(deployed.project, *unchanged)
    destroy(deployed.project, STACK)
    assert deployed.api.find(f"/api/v1/namespaces/{NAMESPACE}") is None
    assert leftovers(deployed.api, deployed.before) == set()
