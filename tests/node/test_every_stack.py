"""Every shipped stack in real containers: made, asked, changed, refreshed, and removed.

Only sizes differ, and what this node does not have: its cloud's machines, their prices, and a load
balancer. The stack for a laptop runs as it is shipped (test_laptop.py).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from breakeven.settings.files import stack_names, stack_values
from breakeven.settings.parse import parse, raise_problems
from breakeven.settings.stack import Settings, Stack
from node import engine, images
from node.starting import Started
from tests.cluster.deploying import NAMESPACE, destroy, pulumi, up, wait_for
from tests.cluster.inventory import inventory, leftovers
from tests.gateway.certificates import server_context
from tests.node.deployed import Deployed, make_secret, secret
from tests.node.pods import Pod, make_pod
from tests.node.scripts import CHAT
from tests.node.stack import OWNED, gateway_images
from tests.node.volumes import fill_claim, volume_of
from tests.project_copy import Project
from tests.recording import stack_of

SHIPPED = tuple(name for name in stack_names() if name != "laptop")
_SMALL = {
    "model.name": "qwen2.5-7b-instruct",
    "model.repository": "Qwen/Qwen2.5-7B-Instruct",
    "model.revision": "",
    "model.maxLength": None,
}
"""In place of a model that four GPUs of this node do not hold as one replica of one GPU."""
_LARGE = frozenset({"air-gapped", "on-prem", "owned-h100", "steady"})


@dataclass(frozen=True)
class FrontDoor:
    """Where clients of a stack ask, and how they prove who they are.

    Attributes:
        address: Of the gateway, or of the model's Service.
        key: That is accepted.
        model: That answers.
        authority: Certificate of the authority, where the stack speaks TLS.
    """

    address: str
    key: str
    model: str
    authority: tuple[str, ...] = ()

    def ask(self, caller: Pod, key: str | None = None) -> Any:
        """One chat completion."""
        arguments = (self.address, self.key if key is None else key, self.model, "5")
        return caller.json(CHAT, *arguments, *self.authority)


def scaled(node: Started, stack: str) -> dict[str, object]:
    """Settings by which a shipped stack fits the node."""
    models = stack_of(stack).models
    shipped = models[0]
    changes: dict[str, object] = {
        "pool": {"kind": "existing", "gpu": "h200", "gpusPerNode": 4, "nodeCount": 1},
        "engine.image": images.reference(node.places, engine.ENGINE),
        "engine.longestRequestSeconds": 60,
        "network.clientNamespaces": ["default"],
        "network.exposure": None,
        "network.clientNetworks": None,
        "pricing": OWNED,
    }
    if shipped.engine.tensor_parallel > 1:
        changes |= {"engine.tensorParallel": None, "engine.pipelineParallel": None}
    if stack in _LARGE:
        changes |= _SMALL
    if shipped.weights.claim is None:
        changes["weights.storageClass"] = "node-local"
    if shipped.watched:
        changes["monitoring.prometheusAddress"] = node.prometheus
    if shipped.network.registry:
        changes["network.registry"] = "node.local"
    if shipped.gateway.is_on:
        changes |= gateway_images(node)
    for place, model in enumerate(models):
        own = f"models[{place}]." if len(models) > 1 else ""
        changes[f"{own}replicas.min"] = 1
        changes[f"{own}replicas.max"] = 2 if model.replicas.autoscaling else 1
    return changes


def prepare(node: Started, settings: Settings, folder: Path) -> dict[str, str]:
    """Makes what a person makes before the first update of a stack.

    Returns:
        Keys of the gateway's teams.
    """
    if settings.weights.claim is not None:
        fill_claim(node, settings.weights.claim, settings.model.revision)
    if settings.weights.hub_token_secret is not None:
        make_secret(node.api, settings.weights.hub_token_secret, {"token": "hf_good"})
    if settings.network.tls_secret is not None:
        server_context(folder, f"{settings.name}.{NAMESPACE}")
        names = ("tls.crt", "tls.key", "ca.pem")
        found = {name: (folder / name).read_text(encoding="utf-8") for name in names}
        make_secret(node.api, settings.network.tls_secret, {**found, "ca.crt": found.pop("ca.pem")})
    keys = {team: f"sk-{secrets.token_hex(32)}" for team in settings.gateway.teams}
    if settings.gateway.is_on:
        make_secret(node.api, "team-keys", keys)
    if settings.overflow_apis:
        make_secret(node.api, "overflow-api", {"api-key": "of-the-api"})
    return keys


def front_doors(
    node: Started, models: tuple[Settings, ...], keys: Mapping[str, str], folder: Path
) -> list[FrontDoor]:
    """Where the stack is asked: each team at the gateway, or each model at its Service."""
    names = [model.model.facts.name for model in models]
    if models[0].gateway.is_on:
        gate = f"http://gateway.{NAMESPACE}:8000"
        return [FrontDoor(gate, key, name) for key in keys.values() for name in names]
    with_tls = models[0].network.tls_secret is not None
    authority = ((folder / "ca.pem").read_text(encoding="utf-8"),) if with_tls else ()
    return [
        FrontDoor(
            f"{'https' if with_tls else 'http'}://{model.name}.{NAMESPACE}:8000",
            secret(node.api, model.engine.api_key_secret)["api-key"],
            name,
            authority,
        )
        for model, name in zip(models, names, strict=True)
    ]


def stack_in(project: Project, name: str) -> Stack:
    """A stack file of the project, as its program reads it."""
    found, problems = parse(stack_values(name, project.root))
    raise_problems(name, problems)
    return found


@pytest.mark.parametrize("stack", SHIPPED)
def test_a_stack_is_made_asked_changed_refreshed_and_removed_without_orphans(
    node: Started, project: Project, tmp_path: Path, figures: list[str], stack: str
) -> None:
    project.set(stack, **scaled(node, stack))
    models = stack_in(project, stack).models
    caller = make_pod(node, "default", "client")
    before = inventory(node.api)
    keys = prepare(node, models[0], tmp_path)
    deployed = Deployed(node, project, caller, before)
    began = time.monotonic()
    up(project, stack)
    deployed.wait_until_ready(len(models))
    doors = front_doors(node, models, keys, tmp_path)
    _answers(deployed, doors)
    ready = time.monotonic() - began
    for pod in deployed.pods():
        assert pod["status"]["phase"] in {"Running", "Succeeded"}, pod["metadata"]["name"]

    project.set(stack, **{"engine.longestRequestSeconds": 61})
    up(project, stack)
    deployed.wait_until_ready(len(models))
    _answers(deployed, doors)
    unchanged = ("refresh", "--stack", stack, "--yes", "--skip-preview", "--expect-no-changes")
    pulumi(project, *unchanged)
    destroy(project, stack)
    if models[0].weights.claim is not None:
        node.api.delete(volume_of(models[0].weights.claim))
    assert node.api.find(f"/api/v1/namespaces/{NAMESPACE}") is None
    node.api.delete(caller.path)
    assert leftovers(node.api, before) == set()
    figures.append(f"stack {stack}: the first answer {ready:.0f} s after the start of the update")


def _answers(deployed: Deployed, doors: list[FrontDoor]) -> None:
    """Requires that every front door answers with its key and with no other."""
    for door in doors:

        def answered(door: FrontDoor = door) -> bool:
            return bool(door.ask(deployed.caller)["status"] == 200)

        wait_for(f"an answer of {door.model} at {door.address}", answered, 60)
        assert door.ask(deployed.caller, "wrong")["status"] == 401
