"""The stack, installed from its bundle alone, where no other machine can be reached.

In the order of the runbook: what is installed, loaded, previewed, deployed and removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml

from breakeven.bundle.lock import read_lock
from breakeven.settings.files import ROOT
from tests.airgap.conftest import STACK, Inside
from tests.airgap.contacts import Contact
from tests.airgap.sealed import Sealed
from tests.registry.conftest import Registry
from tests.unit.bundle.builders import REVISION

PACKS = "--policy-pack policies/hardening/run --policy-pack policies/airgap/run"


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2].strip("/"))


def server_of(cluster: Path) -> str:
    document = yaml.safe_load(cluster.read_text(encoding="utf-8"))
    return str(document["clusters"][0]["cluster"]["server"])


def preview(inside: Inside, *further: str) -> tuple[str, dict[str, Any]]:
    ran = inside.run(
        f"python3 tools/bootstrap pulumi preview -s {STACK} --json {' '.join(further)}"
    )
    assert ran.code == 0, ran.output
    assert ran.outside == []
    assert ran.contacts  # the engine and its plugins talk by loopback
    return ran.output, json.loads(ran.output[ran.output.index("{\n") :])


def test_it_is_installed_from_the_bundle_alone(inside: Inside) -> None:
    where = inside.run("python3 tools/bootstrap run which pulumi oras python")
    assert where.code == 0, where.output
    programs = where.output.split()
    assert len(programs) == 3
    assert all(program.startswith(str(inside.folder)) for program in programs)


def test_verify_reaches_nobody(inside: Inside) -> None:
    ran = inside.run(
        "python3 tools/bootstrap run breakeven bundle verify ../../bundle"
        " --key ../../release.pub --log ../../log.jsonl"
    )
    assert ran.code == 0, ran.output
    assert "verified" in ran.output
    assert ran.outside == []
    assert ran.contacts == frozenset()


def test_load_reaches_the_registry_inside_and_nobody_else(
    inside: Inside, registry: Registry
) -> None:
    load = (
        "python3 tools/bootstrap run breakeven bundle load ../../bundle --key ../../release.pub"
        f" --log ../../log.jsonl --to ../../unpacked --registry {registry.address}"
    )
    ran = inside.run(load)
    assert ran.code == 0, ran.output
    assert "pushed: " in ran.output
    assert ran.outside == []
    assert ran.contacts == {Contact("127.0.0.1", port_of(registry.address))}
    lock = read_lock(inside.folder / "lock.json")
    assert registry.blobs() == set(lock.blobs())
    again = inside.run(load)
    assert again.code == 0, again.output
    assert "pushed: " not in again.output


def test_lock_registry_and_pods_agree_on_every_image(inside: Inside, registry: Registry) -> None:
    _, plan = preview(inside)
    assert plan["changeSummary"]["create"] > 10
    [pod] = [
        step["newState"]["inputs"]["spec"]["template"]["spec"]
        for step in plan["steps"]
        if step["newState"]["type"] == "kubernetes:apps/v1:Deployment"
    ]
    named = {container["image"] for container in pod["containers"]}
    named |= {volume["image"]["reference"] for volume in pod["volumes"] if "image" in volume}
    lock = read_lock(inside.folder / "lock.json")
    assert named == {image.reference.mirrored(registry.address) for image in lock.images}
    for image in named:
        fetch = "python3 tools/bootstrap run oras manifest fetch --plain-http"
        ran = inside.run(f"{fetch} {image} > ../../manifest")
        assert ran.code == 0, ran.output
        content = inside.folder.parent / "manifest"
        assert image.endswith(hashlib.sha256(content.read_bytes()).hexdigest())


def test_the_packs_judge_a_preview_by_the_lock_of_the_bundle_and_reach_nobody(
    inside: Inside,
) -> None:
    preview(inside, PACKS)
    stack = inside.folder / "program" / "stacks" / f"Pulumi.{STACK}.yaml"
    whole = stack.read_text(encoding="utf-8")
    stack.write_text(whole.replace(REVISION, "f" * 40), encoding="utf-8")
    try:
        ran = inside.run(f"python3 tools/bootstrap pulumi preview -s {STACK} {PACKS}")
    finally:
        stack.write_text(whole, encoding="utf-8")
    assert ran.code != 0
    assert "model-in-lock" in ran.output, ran.output
    assert ran.outside == []


def test_the_definitions_of_the_bundle_are_taken_by_the_api_server(
    inside: Inside, sealed: Sealed, cluster: Path
) -> None:
    lock = read_lock(inside.folder / "lock.json")
    assert {kind.rpartition("/")[2] for kind in lock.custom_resources} == {
        "PodMonitor",
        "PrometheusRule",
    }
    files = [inside.folder / path for path in lock.custom_resources.values()]
    assert all(path.is_file() and inside.folder / "crds" in path.parents for path in files)
    apply = (
        "import pathlib, sys; from rig.api import Api\n"
        f"api = Api.connect({server_of(cluster)!r}, pathlib.Path(sys.argv[1]))\n"
        "for name in sys.argv[2:]:\n"
        "    api.apply_text(pathlib.Path(name).read_text())"
    )
    ran = sealed.run(
        *(sys.executable, "-c", apply, str(cluster.parent / "certificates"), *map(str, files)),
        cwd=inside.folder,
        environment={**os.environ, "PYTHONPATH": str(ROOT / "tools")},
    )
    assert ran.code == 0, ran.output


def test_up_preview_and_destroy_reach_the_api_server_and_nobody_else(
    inside: Inside, cluster: Path
) -> None:
    port = port_of(server_of(cluster))
    # Nodes are simulated: no container of this cluster ever starts, so none is pulled.
    steps = {
        "up --yes": "created",
        "preview --expect-no-changes": "unchanged",
        "destroy --yes": "deleted",
    }
    for step, done in steps.items():
        ran = inside.run(
            f"python3 tools/bootstrap pulumi {step} -s {STACK}", KUBECONFIG=str(cluster)
        )
        assert ran.code == 0, ran.output
        assert done in ran.output
        assert Contact("127.0.0.1", port) in ran.contacts
        assert ran.outside == []
