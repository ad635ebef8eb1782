"""A stack without a replica: requests wait at the gateway, start the first, and it goes again."""

from __future__ import annotations

import secrets
import time

from breakeven.manifests.gateway.labels import GATEWAY_LABELS
from node import engine, images
from node.starting import Started
from tests.cluster.deploying import NAMESPACE, destroy, up, wait_for
from tests.cluster.inventory import inventory, leftovers
from tests.node.deployed import READY_SECONDS, Deployed, make_secret
from tests.node.pods import Background, make_pod, said
from tests.node.scripts import LOAD
from tests.node.stack import STACK, gateway_images
from tests.node.test_weights_image import state_weights_image
from tests.project_copy import Project

MODEL = "qwen2.5-7b-instruct"
KEY = f"sk-{secrets.token_hex(32)}"
CALLERS = 4
DOWN_SECONDS = 60


def test_requests_start_the_first_replica_and_all_are_answered_and_it_goes_again(
    node: Started, project: Project, figures: list[str]
) -> None:
    caller = make_pod(node, "default", "early")
    deployed = Deployed(node, project, caller, inventory(node.api))
    make_secret(node.api, "team-keys", {"product": KEY})
    state_weights_image(
        project,
        node,
        **{
            "engine.image": images.reference(node.places, engine.ENGINE),
            "replicas.autoscaling": True,
            "replicas.min": 0,
            "replicas.max": 1,
            "replicas.scaleDownSeconds": DOWN_SECONDS,
            "monitoring.prometheusAddress": node.prometheus,
            "gateway.enabled": True,
            "gateway.teams": {"product": {}},
            **gateway_images(node),
        },
    )
    up(project, STACK)
    wait_for("no replica", lambda: not deployed.engines(), READY_SECONDS)
    asked = (f"http://gateway.{NAMESPACE}:8000", KEY, MODEL, "1800", str(CALLERS), "5")
    began = time.monotonic()
    load = Background(caller, LOAD, asked, seconds=300).start()
    wait_for("a replica is asked for", lambda: len(deployed.engines()) == 1, 180)
    noticed = time.monotonic() - began
    deployed.wait_until_ready()
    ready = time.monotonic() - began
    time.sleep(20)
    answer = load.stop()
    ended = time.monotonic()
    figures.append(f"from zero: {said(answer)}")
    figures.append(f"from zero: a pod after {noticed:.0f} s, ready after {ready:.0f} s")
    assert set(answer["statuses"]) == {"200"}, answer
    assert set(answer["by"]) == {"own"}
    assert sum(answer["statuses"].values()) > 2 * CALLERS
    # What came first waited for the replica, and nobody asked again.
    assert answer["slowest"] > ready - noticed
    wait_for("no replica again", lambda: not deployed.engines(), READY_SECONDS)
    gone = time.monotonic() - ended
    figures.append(f"from zero: no pod {gone:.0f} s after the last request")
    assert gone >= DOWN_SECONDS - 1
    # They stay as long as the longest answer may take, with the wait for a replica: eight minutes.
    for pod in deployed.pods(dict(GATEWAY_LABELS)):
        name = pod["metadata"]["name"]
        node.api.delete(f"/api/v1/namespaces/{NAMESPACE}/pods/{name}?gracePeriodSeconds=0")
    destroy(project, STACK)
    node.api.delete(caller.path)
    assert leftovers(node.api, deployed.before) == set()
