"""What is deployed against what the stack file states: every difference by resource and path.

The export is made here, in the form that `pulumi stack export` writes;
tests/cluster/test_evidence.py compares one of a real update.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import UserError
from breakeven.evidence.deployed import changes, read_state
from breakeven.planning.offline import manifests_of_stack
from tests.recording import STACKS


def export(stack: str) -> dict[str, Any]:
    """Returns an export of a stack that was deployed as it is stated."""
    resources, _ = manifests_of_stack(stack)
    entries = [
        {
            "urn": f"urn:pulumi:{stack}::breakeven::kubernetes:v1:{each.kind}::{each.logical_name}",
            "custom": True,
            "type": f"kubernetes:{each.manifest['apiVersion']}:{each.kind}",
            "inputs": copy.deepcopy(dict(each.manifest)),
        }
        for each in resources
    ]
    stack_itself = {"urn": "urn:pulumi:x::y::pulumi:pulumi:Stack::z", "type": "pulumi:pulumi:Stack"}
    return {
        "version": 3,
        "deployment": {
            "manifest": {"time": "2026-11-30T10:00:00Z", "version": "v3.200.0"},
            "resources": [stack_itself, *entries],
        },
    }


def compared(tmp_path: Path, stack: str, state: Mapping[str, Any]) -> list[dict[str, str]]:
    path = tmp_path / "state.json"
    path.write_text(json.dumps(state))
    deployed, _ = read_state(path)
    return changes(manifests_of_stack(stack)[0], deployed)


@pytest.mark.parametrize("stack", STACKS)
def test_what_is_deployed_as_stated_does_not_differ(tmp_path: Path, stack: str) -> None:
    assert compared(tmp_path, stack, export(stack)) == []


def test_a_resource_that_only_one_side_has_is_named(tmp_path: Path) -> None:
    state = export("on-prem")
    entries = state["deployment"]["resources"]
    [service] = [entry for entry in entries if entry["type"].endswith(":Service")]
    service["inputs"]["metadata"]["name"] = "other"
    assert compared(tmp_path, "on-prem", state) == [
        {"resource": "Service/llm/model", "change": "is not deployed"},
        {"resource": "Service/llm/other", "change": "is deployed but not in the stack file"},
    ]


def test_a_field_that_differs_is_named_by_its_path_and_its_value_is_not_shown(
    tmp_path: Path,
) -> None:
    state = export("on-prem")
    entries = state["deployment"]["resources"]
    [model] = [entry for entry in entries if entry["type"].endswith(":Deployment")]
    model["inputs"]["spec"]["template"]["spec"]["containers"][0]["image"] = "evil.example/a:v1"
    found = compared(tmp_path, "on-prem", state)
    assert found == [
        {
            "resource": "Deployment/llm/model",
            "change": "differs: spec.template.spec.containers[0].image",
        }
    ]


def test_secret_values_and_the_engines_own_annotations_are_no_difference(tmp_path: Path) -> None:
    state = export("on-prem")
    entries = state["deployment"]["resources"]
    [service] = [entry for entry in entries if entry["type"].endswith(":Service")]
    metadata = service["inputs"]["metadata"]
    metadata["annotations"] = {"pulumi.com/autonamed": "true"}
    service["inputs"]["spec"]["selector"] = {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        "ciphertext": "x",
    }
    assert compared(tmp_path, "on-prem", state) == []


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"deployment": {"resources": [{"custom": true}]}}']
)
def test_a_file_that_is_no_export_is_refused_with_the_command_that_writes_one(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"pulumi stack export --stack STACK > state\.json"):
        read_state(path)
    with pytest.raises(UserError, match="cannot read the file"):
        read_state(tmp_path / "none.json")
