"""`breakeven check` over folders and stacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from breakeven.cli.app import app
from breakeven.errors import UserError
from breakeven.policy.registry import RULES

GOOD = Path(__file__).parents[1] / "policy" / "cases" / "base.yaml"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments])


def changed(folder: Path, **container: Any) -> Path:
    documents = list(yaml.safe_load_all(GOOD.read_text(encoding="utf-8")))
    [deployment] = [item for item in documents if item["kind"] == "Deployment"]
    deployment["spec"]["template"]["spec"]["containers"][0].update(container)
    (folder / "stack.yaml").write_text(yaml.safe_dump_all(documents), encoding="utf-8")
    return folder


def test_good_manifests_end_with_nothing_broken() -> None:
    result = run(str(GOOD), "--pack", "hardening", "--pack", "airgap")
    assert result.exit_code == 0, result.output
    assert f"{len(RULES)} rules in 7 manifests" in result.output
    assert "0 violations" in result.output


def test_a_broken_rule_is_reported_with_place_value_and_fix(tmp_path: Path) -> None:
    result = run(str(changed(tmp_path, imagePullPolicy="Always")))
    assert result.exit_code == 1
    text = " ".join(result.output.split())
    assert "image-pull-policy" in text
    assert "Deployment/llm/server" in text
    assert "'Always'" in text
    assert "Set imagePullPolicy to IfNotPresent" in text
    assert "1 violation" in text
    assert max(len(line) for line in result.output.splitlines()) <= 100


def test_json_has_every_rules_verdict_and_the_controls_that_it_supports(tmp_path: Path) -> None:
    result = run(str(changed(tmp_path, imagePullPolicy="Always")), "--format", "json")
    assert result.exit_code == 1
    output = json.loads(result.output)
    verdicts = {rule["id"]: rule for rule in output["rules"]}
    assert verdicts["image-pull-policy"]["verdict"] == "broken"
    assert verdicts["pod-no-privileged"]["verdict"] == "kept"
    assert verdicts["pod-no-privileged"]["controls"]["CIS"] == ["5.2.2"]
    assert "SC-7" in verdicts["network-default-deny"]["supports"]["NIST SP 800-53 / FedRAMP"]
    [finding] = [item for item in output["findings"] if item["level"] != "advisory"]
    assert finding["path"] == "spec.template.spec.containers[vllm].imagePullPolicy"
    assert finding["source"].endswith("stack.yaml")


def test_a_waiver_lets_it_pass_and_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    folder.mkdir()
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text(
        "waivers: [{rule: image-pull-policy, resource: Deployment/llm/server, owner: platform, "
        "reason: the tag is moved while we test, expires: 2999-01-01}]",
        encoding="utf-8",
    )
    result = run(str(changed(folder, imagePullPolicy="Always")), "--waivers", str(waivers))
    assert result.exit_code == 0
    assert "1 waived" in result.output
    assert "platform, until 2999-01-01" in " ".join(result.output.split())


def test_lists_json_and_files_of_other_kinds_are_read(tmp_path: Path) -> None:
    documents = list(yaml.safe_load_all(GOOD.read_text(encoding="utf-8")))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "all.json").write_text(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": documents}), encoding="utf-8"
    )
    (tmp_path / "values.yaml").write_text("replicas: 3\noperators: [=]\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("kind: Pod\n", encoding="utf-8")
    result = run(str(tmp_path))
    assert result.exit_code == 0, result.output
    assert "in 7 manifests" in result.output


def test_a_stack_is_checked_by_its_own_waivers() -> None:
    result = run("--stack", "aws-prod", "--format", "json")
    output = json.loads(result.output)
    assert any(rule["verdict"] == "waived" for rule in output["rules"])


def test_an_air_gapped_stack_is_checked_by_both_packs_and_reaches_nothing() -> None:
    result = run("--stack", "air-gapped", "--format", "json")
    output = json.loads(result.output)
    assert {rule["pack"] for rule in output["rules"]} == {"hardening", "airgap"}
    for row in output["reachability"]["workloads"]:
        assert row["exits"] == []
        assert row["reaches"] == []


def test_images_and_a_model_that_the_lock_lacks_are_found(tmp_path: Path) -> None:
    lock = tmp_path / "lock.json"
    root = {"root": {"digest": f"sha256:{'2' * 64}"}}
    value = {"images": [root], "model": {"revision": "another"}}
    lock.write_text(json.dumps(value), encoding="utf-8")
    result = run(str(GOOD), "--pack", "airgap", "--lock", str(lock))
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "is not in the lock" in said
    assert "the lock has revision another" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "invalid YAML"),
        ("a: 1", "found no manifests in 1 file"),
        ("", "found no manifests in 1 file"),
    ],
)
def test_files_that_cannot_be_used_are_named(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    result = run(str(tmp_path))
    assert isinstance(result.exception, UserError)
    assert said in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name either manifests or a stack"),
        (("/nowhere", "--stack", "dev"), "name either manifests or a stack"),
        (("/nowhere",), "file or folder not found"),
        (("--stack", "nowhere"), "stack 'nowhere' not found"),
        ((str(GOOD), "--waivers", "/nowhere"), "cannot read the file"),
        ((str(GOOD), "--lock", "/nowhere"), "bundle plan"),
    ],
)
def test_what_cannot_be_checked_is_one_message(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, UserError)
    assert said in str(result.exception)
