"""Weights in an image: a pod mounts it as a volume, which takes a runtime that can."""

from __future__ import annotations

from datetime import UTC, datetime

from bootstrap.layout import digest
from breakeven.cluster.preflight.checks.server import RUNTIMES
from breakeven.cluster.versions import is_older
from breakeven.manifests.serving.labels import WEIGHTS_LABELS
from breakeven.planning.offline import load_values
from node import engine, images
from node.archives import File, files_layer
from node.places import NAME
from node.starting import Started
from node.store import Image
from tests.cluster.deploying import NAMESPACE, destroy, up
from tests.cluster.inventory import inventory, leftovers
from tests.node.deployed import Deployed, breakeven, secret
from tests.node.pods import make_pod
from tests.node.scripts import CHAT
from tests.node.stack import KEY_SECRET, STACK, write_stack
from tests.project_copy import Project

MODEL = "qwen2.5-7b-instruct"
WEIGHTS = "node.local/weights"


def test_weights_in_an_image_are_mounted_read_only_and_served(
    node: Started, project: Project
) -> None:
    caller = make_pod(node, "default", "puller")
    deployed = Deployed(node, project, caller, inventory(node.api))
    state_weights_image(project, node)
    runtime = node.api.get(f"/api/v1/nodes/{NAME}")["status"]["nodeInfo"]["containerRuntimeVersion"]
    name, _, version = runtime.partition("://")
    assert (name, is_older(version, RUNTIMES[name])) == ("containerd", False), runtime
    found = breakeven(project, "preflight", STACK)
    assert "the container runtimes of 1 nodes mount image volumes" in found.stdout, found.stdout
    up(project, STACK)
    deployed.wait_until_ready()
    key = secret(node.api, KEY_SECRET)["api-key"]
    answer = caller.json(CHAT, f"http://model.{NAMESPACE}:8000", key, MODEL, "5")
    assert answer["status"] == 200, answer
    assert deployed.pods(dict(WEIGHTS_LABELS)) == []
    served = deployed.engine()
    assert "Read-only file system" in served.python("open('/weights/written', 'w')")
    listed = served.python(
        "import pathlib; print(*pathlib.Path('/weights').rglob('*.safetensors'))"
    )
    assert listed.strip().endswith("/model.safetensors")
    destroy(project, STACK)
    node.api.delete(caller.path)
    assert leftovers(node.api, deployed.before) == set()


def state_weights_image(project: Project, node: Started, **values: object) -> None:
    """Writes a stack whose weights are an image, which is made of the hub's files first."""
    stated = {
        "engine.image": images.reference(node.places, engine.STAND_IN),
        "engine.longestRequestSeconds": 60,
        **values,
    }
    any_image = {"weights.image": f"{WEIGHTS}@sha256:{'0' * 64}"}
    planned = write_stack(project, node, **stated, **any_image)
    today = datetime.now(tz=UTC).date()
    image = weights_image(node, load_values(STACK, planned, today).settings.model.revision)
    write_stack(project, node, **stated, **{"weights.image": image})


def weights_image(node: Started, revision: str) -> str:
    """Makes an image as `breakeven bundle` does: a model's files below their commit."""
    paths = sorted((node.places.root / "hub").iterdir())
    files = [File(f"{revision}/{each.name}", each.read_bytes()) for each in paths]
    image = Image(
        WEIGHTS, digest(paths, revision), lambda folder: [files_layer(folder / "weights", files)]
    )
    for store in node.stores:
        store.ensure(image, print)
    return images.reference(node.places, WEIGHTS)
