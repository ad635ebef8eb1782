"""Weights on a volume that someone else has filled: read as they are, and kept."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

from breakeven.manifests.serving.labels import WEIGHTS_LABELS
from breakeven.planning.offline import load_values
from node.places import NAME
from node.starting import Started
from tests.cluster.deploying import NAMESPACE, destroy, up
from tests.cluster.inventory import inventory, leftovers
from tests.node.deployed import Deployed, secret
from tests.node.pods import make_pod
from tests.node.scripts import CHAT
from tests.node.stack import KEY_SECRET, STACK, write_stack
from tests.project_copy import Project

CLAIM = "filled"
MODEL = "qwen2.5-7b-instruct"
_VOLUME = f"/api/v1/persistentvolumes/{CLAIM}"


def test_a_filled_volume_is_read_as_it_is_and_outlives_the_stack(
    node: Started, project: Project
) -> None:
    caller = make_pod(node, "default", "reader")
    before = inventory(node.api)
    values = write_stack(
        project, node, **{"weights.claim": CLAIM, "engine.longestRequestSeconds": 60}
    )
    revision = load_values(STACK, values, datetime.now(tz=UTC).date()).settings.model.revision
    folder = node.places.root / "filled"
    shutil.copytree(node.places.root / "hub", folder / revision)
    had = sorted(each.name for each in (folder / revision).iterdir())
    make_claim(node, str(folder))
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
    assert node.api.get(_VOLUME)["status"]["phase"] == "Released"
    assert sorted(each.name for each in (folder / revision).iterdir()) == had
    node.api.delete(_VOLUME)
    node.api.delete(caller.path)
    assert leftovers(node.api, before) == set()


def make_claim(node: Started, folder: str) -> None:
    """Registers a folder of the node as docs/air-gap.md registers an export of a file server."""
    this_node = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}
    shared = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
    node.api.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": CLAIM},
            "spec": {
                **shared,
                "capacity": {"storage": "1Gi"},
                "persistentVolumeReclaimPolicy": "Retain",
                "local": {"path": folder},
                "nodeAffinity": {
                    "required": {"nodeSelectorTerms": [{"matchExpressions": [this_node]}]}
                },
            },
        }
    )
    node.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    node.api.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": CLAIM, "namespace": NAMESPACE},
            "spec": {
                **shared,
                "volumeName": CLAIM,
                "resources": {"requests": {"storage": "1Gi"}},
            },
        }
    )
