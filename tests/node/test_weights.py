"""Weights on a volume that someone else has filled: read as they are, and kept."""

from __future__ import annotations

from datetime import UTC, datetime

from breakeven.manifests.serving.labels import WEIGHTS_LABELS
from breakeven.planning.offline import load_values
from node.starting import Started
from tests.cluster.deploying import NAMESPACE, destroy, up
from tests.cluster.inventory import inventory, leftovers
from tests.node.deployed import Deployed, secret
from tests.node.pods import make_pod
from tests.node.scripts import CHAT
from tests.node.stack import KEY_SECRET, STACK, write_stack
from tests.node.volumes import fill_claim, volume_of
from tests.project_copy import Project

CLAIM = "filled"
MODEL = "qwen2.5-7b-instruct"


def test_a_filled_volume_is_read_as_it_is_and_outlives_the_stack(
    node: Started, project: Project
) -> None:
    caller = make_pod(node, "default", "reader")
    before = inventory(node.api)
    values = write_stack(
        project, node, **{"weights.claim": CLAIM, "engine.longestRequestSeconds": 60}
    )
    revision = load_values(STACK, values, datetime.now(tz=UTC).date()).settings.model.revision
    filled = fill_claim(node, CLAIM, revision)
    had = sorted(each.name for each in filled.iterdir())
    deployed = Deployed(node, project, caller, before)
    up(project, STACK)
    deployed.wait_until_ready()
    key = secret(node.api, KEY_SECRET)["api-key"]
    answer = caller.json(CHAT, f"http://model.{NAMESPACE}:8000", key, MODEL, "5")
    assert answer["status"] == 200, answer
    assert deployed.pods(dict(WEIGHTS_LABELS)) == []
    attempt = deployed.engine().python("open('/weights/written', 'w')")
    assert "Read-only file system" in attempt
    destroy(project, STACK)
    assert node.api.get(volume_of(CLAIM))["status"]["phase"] == "Released"
    assert sorted(each.name for each in filled.iterdir()) == had
    node.api.delete(volume_of(CLAIM))
    node.api.delete(caller.path)
    assert leftovers(node.api, before) == set()
