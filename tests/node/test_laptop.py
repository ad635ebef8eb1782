"""The laptop stack as it is shipped, from an empty cluster to an answer and back.

Only its image and its storage class are those of the node (docs/laptop.md).
"""

from __future__ import annotations

import time

from breakeven.manifests.serving.labels import WEIGHTS_LABELS
from node import engine, images
from node.starting import Started
from tests.cluster.deploying import NAMESPACE, destroy, up
from tests.cluster.inventory import inventory, leftovers
from tests.node.deployed import Deployed, breakeven, make_secret
from tests.node.pods import make_pod
from tests.node.scripts import CHAT
from tests.node.stack import KEY_SECRET
from tests.project_copy import Project

LAPTOP = "laptop"
MODEL = "qwen2.5-0.5b-instruct"
KEY = "of-a-laptop"


class Log:
    """The time of each step, as docs/laptop.md shows it."""

    def __init__(self, figures: list[str]) -> None:
        self._figures = figures
        self._last = time.monotonic()

    def step(self, what: str) -> None:
        """Notes that a step has ended."""
        now = time.monotonic()
        self._figures.append(f"laptop: {what}: {now - self._last:.0f} s")
        self._last = now


def test_five_minutes_from_an_empty_cluster_to_an_answer_and_back(
    node: Started, project: Project, figures: list[str]
) -> None:
    project.set(
        LAPTOP,
        **{
            "engine.image": images.reference(node.places, engine.ENGINE),
            "weights.storageClass": "node-local",
            "pricing.overrides": {"volume/none/node-local": "0"},
        },
    )
    caller = make_pod(node, "default", "laptop")
    deployed = Deployed(node, project, caller, inventory(node.api))
    log = Log(figures)
    estimate = breakeven(project, "estimate", LAPTOP)
    assert estimate.returncode == 0, estimate.stderr
    assert "CPU nodes" in estimate.stdout
    log.step("breakeven estimate")
    make_secret(node.api, KEY_SECRET, {"api-key": KEY})
    found = breakeven(project, "preflight", LAPTOP)
    assert found.returncode == 0, found.stdout + found.stderr
    log.step("breakeven preflight")
    up(project, LAPTOP)
    log.step("pulumi up, until the model is ready")
    service = f"http://model.{NAMESPACE}:8000"
    answer = caller.json(CHAT, service, KEY, MODEL, "20")
    log.step("the first answer")
    assert answer["status"] == 200, answer
    assert answer["body"]["usage"]["completion_tokens"] == 20
    assert caller.json(CHAT, service, "wrong", MODEL, "5")["status"] == 401
    for path in deployed.engines():
        [container] = node.api.get(path)["spec"]["containers"]
        asked = container["resources"]["requests"] | container["resources"].get("limits", {})
        assert not [name for name in asked if "/" in name], asked
    assert deployed.pods(dict(WEIGHTS_LABELS)), "the weights did not come by the Job"
    destroy(project, LAPTOP)
    log.step("pulumi destroy")
    assert node.api.find(f"/api/v1/namespaces/{NAMESPACE}") is None
    node.api.delete(caller.path)
    assert leftovers(node.api, deployed.before) == set()
