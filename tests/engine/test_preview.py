"""What `pulumi preview` shows, by the real engine.

For stacks that together have every pool kind and every type of resource; tests/golden has all
stacks without the engine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from breakeven.settings.files import ROOT, stack_names
from tests.project_copy import HARDENING, Project, add_policy_packs, copy_project
from tests.recording import settings_of

STACKS = ("aks", "air-gapped", "gke", "hybrid", "owned-h100", "two-models")
GOLDEN = ROOT / "tests" / "golden"
TITLES = (
    "Monthly cost of self-hosting",
    "Monthly cost of the same traffic with an API",
    "Break-even volume (tokens per day)",
    "Recommendation",
)
WITH_MORE = """
import pulumi_kubernetes as kubernetes
from breakeven.resources import registration

register_components = registration.register_components


async def with_more(components):
    kubernetes.apiextensions.CustomResource(
        "queue", api_version="example.com/v1", kind="ManagedQueue", spec={"size": 3}
    )
    return await register_components(components)


registration.register_components = with_more
pulumi.run(main)
"""
DEPLOYED: Mapping[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("urns.yaml").read_text(encoding="utf-8")
)
"""A resource whose URN changes is replaced: what serves or holds data is gone for a while."""

WITHOUT_MANIFEST = ("pulumi:", "breakeven:cost:")


def _messages(preview: dict[str, Any]) -> list[str]:
    return [entry["message"] for entry in preview.get("diagnostics", [])]


@pytest.fixture(scope="module", params=STACKS)
def result(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, CompletedProcess[str]]:
    """A stack's name, and its preview with the pack for hardening."""
    copied = copy_project(tmp_path_factory.mktemp(request.param))
    add_policy_packs(copied)
    preview = copied.preview(request.param, "--json", *HARDENING)
    return request.param, preview


@pytest.fixture
def previewed(result: tuple[str, CompletedProcess[str]]) -> tuple[str, dict[str, Any]]:
    """A stack's name, and what its preview says."""
    stack, preview = result
    return stack, json.loads(preview.stdout)


def test_the_stacks_have_every_pool_kind_and_every_type_of_resource() -> None:
    def kinds(stack: str) -> set[str]:
        types = {str(entry["type"]) for entry in _golden_manifests(stack)}
        return {*types, settings_of(stack).pool.kind.name}

    covered = set().union(*map(kinds, STACKS))
    for stack in stack_names():
        assert kinds(stack) <= covered, stack


def test_the_stack_passes_the_pack_for_hardening(
    result: tuple[str, CompletedProcess[str]],
) -> None:
    _, preview = result
    assert preview.returncode == 0, preview.stdout + preview.stderr


def test_the_engine_registers_what_the_golden_manifests_hold_and_prints_the_golden_table(
    previewed: tuple[str, dict[str, Any]],
) -> None:
    stack, preview = previewed
    steps = {
        (step["newState"]["type"], step["urn"].rsplit("::", 1)[1])
        for step in preview["steps"]
        if not step["newState"]["type"].startswith(WITHOUT_MANIFEST)
    }
    assert steps == {(entry["type"], entry["name"]) for entry in _golden_manifests(stack)}
    assert preview["changeSummary"] == {"create": len(preview["steps"])}

    tables = [message for message in _messages(preview) if "COST OF STACK" in message]
    assert len(tables) == 1
    assert tables[0].strip() == (GOLDEN / "tables" / f"{stack}.txt").read_text("utf-8").strip()
    assert all(tables[0].count(title) == 1 for title in TITLES)


def test_no_resource_gets_another_urn_than_a_deployed_stack_has(
    previewed: tuple[str, dict[str, Any]],
) -> None:
    stack, preview = previewed
    assert sorted(step["urn"].split("::", 2)[2] for step in preview["steps"]) == DEPLOYED[stack]


def test_figures_of_the_cost_resource_are_those_of_the_table(
    previewed: tuple[str, dict[str, Any]],
) -> None:
    _, preview = previewed
    [figures] = [
        step["newState"]["inputs"]
        for step in preview["steps"]
        if step["newState"]["type"] == "breakeven:cost:Estimate"
    ]
    [table] = [message for message in _messages(preview) if "COST OF STACK" in message]
    for amount in (
        figures["selfHosted"]["total"],
        figures["api"]["monthly"],
        figures["recommendation"]["monthly"],
    ):
        assert f"${float(amount):,.2f}" in table
    lines = figures["selfHosted"]["lines"]
    parts = sum(float(line["monthly"]) for line in lines)
    whole = float(figures["selfHosted"]["total"]) - float(figures["selfHosted"]["contingency"])
    assert parts == pytest.approx(whole, abs=0.01 * len(lines))


def test_text_output_has_the_whole_table_once_within_100_columns_and_changes_no_file(
    with_packs: Project,
) -> None:
    before = _contents(with_packs.root)
    result = with_packs.preview("dev", *HARDENING)

    assert result.returncode == 0, result.stdout + result.stderr
    # A stack that keeps every rule, or has a waiver for it, gets no message about rules.
    assert "breakeven-hardening" in result.stdout
    for word in ("mandatory", "advisory", "cannot run policy"):
        assert word not in result.stdout + result.stderr
    # The plan's line for the stack repeats the first line of the message.
    _, _, diagnostics = result.stdout.partition("Diagnostics:")
    assert diagnostics.count("COST OF STACK dev") == 1
    table = diagnostics[diagnostics.index("COST OF STACK dev") :]
    table, _, outputs = table.partition("Outputs:")
    assert max(len(line) for line in table.splitlines()) <= 100
    assert "perMillionTokens" in outputs

    # Pulumi itself writes the salt of its passphrase into the stack file.
    after = _contents(with_packs.root)
    changed = {path for path in before | after if before.get(path) != after.get(path)}
    assert {path.name for path in changed if path.suffix != ".pyc"} <= {"Pulumi.dev.yaml"}


def test_a_resource_that_a_program_adds_is_listed_as_not_priced(project: Project) -> None:
    program = project.root / "__main__.py"
    text = program.read_text(encoding="utf-8")
    assert text.count("pulumi.run(main)") == 1
    program.write_text(text.replace("pulumi.run(main)", WITH_MORE), encoding="utf-8")
    preview = project.preview_json("dev")
    [table] = [message for message in _messages(preview) if "COST OF STACK" in message]
    not_priced = "Not priced, and not in the total: queue (ManagedQueue): no rule for this type"
    assert not_priced in " ".join(table.split())


def _golden_manifests(stack: str) -> list[dict[str, Any]]:
    text = (GOLDEN / "manifests" / f"{stack}.yaml").read_text("utf-8")
    return list(yaml.load_all(text, Loader=yaml.CSafeLoader))  # safe, and ten times as fast


def _contents(root: Path) -> dict[Path, bytes]:
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
