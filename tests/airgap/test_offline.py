"""The stack, installed from its bundle alone, where no other machine can be reached."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from tests.airgap.conftest import STACK, Inside
from tests.airgap.contacts import Contact


def test_it_is_installed_from_the_bundle_alone(inside: Inside) -> None:
    where = inside.run("python3 tools/bootstrap run which pulumi oras python")
    assert where.code == 0, where.output
    programs = where.output.split()
    assert len(programs) == 3
    assert all(program.startswith(str(inside.folder)) for program in programs)


def test_preview_reaches_nobody(inside: Inside) -> None:
    ran = inside.run(f"python3 tools/bootstrap pulumi preview -s {STACK} --json")
    assert ran.code == 0, ran.output
    plan = json.loads(ran.output[ran.output.index("{\n") :])
    assert plan["changeSummary"]["create"] > 10
    assert "COST OF STACK" in ran.output
    assert ran.contacts  # the engine and its plugins talk by loopback
    assert ran.outside == []


def test_up_preview_and_destroy_reach_the_api_server_and_nobody_else(
    inside: Inside, cluster: Path
) -> None:
    server = yaml.safe_load(cluster.read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"]
    port = int(server.rpartition(":")[2].strip("/"))
    # The registry inside is simulated, as are nodes: no container of this cluster ever starts.
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


def test_the_commands_reach_nobody(inside: Inside) -> None:
    ran = inside.run(
        "python3 tools/bootstrap run breakeven bundle verify ../../bundle"
        " --key ../../release.pub --log ../../log.jsonl"
    )
    assert ran.code == 0, ran.output
    assert "whole and signed" in ran.output
    assert ran.outside == []
