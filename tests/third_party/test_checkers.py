"""Every stack of the kit passes the checkers of others, but for exceptions with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from breakeven.policy.registry import RULES
from breakeven.settings.files import stack_names
from tests.third_party.checkers import (
    Finding,
    checkov,
    checks_of_checkov,
    kube_score,
    kubernetes_validate,
)
from tests.third_party.exceptions import Exempt, exceptions, unused, without_reason

Rendered = Mapping[str, Path]
Found = Mapping[str, list[Finding]]


@pytest.mark.parametrize("stack", stack_names())
def test_every_manifest_is_valid_and_has_no_unknown_field(rendered: Rendered, stack: str) -> None:
    assert kubernetes_validate(rendered[stack]) == []


@pytest.mark.parametrize("stack", stack_names())
def test_checkov_and_kube_score_find_nothing_without_a_written_reason(
    found: Found, stack: str
) -> None:
    assert without_reason(found[stack], exceptions()) == []


def test_every_exception_is_still_needed(found: Found) -> None:
    assert unused([item for items in found.values() for item in items], exceptions()) == []


def test_every_exception_is_stated_once_and_says_why() -> None:
    known = exceptions()
    assert len({(one.checker, one.check) for one in known}) == len(known)
    assert all(one.reason.endswith(".") for one in known)


def changed(rendered: Rendered, folder: Path, **fields: Any) -> Path:
    """The stack dev with other fields in its engine's container."""
    manifests = list(yaml.safe_load_all(rendered["dev"].read_text(encoding="utf-8")))
    [engine] = [item for item in manifests if item["kind"] == "Deployment"]
    engine["spec"]["template"]["spec"]["containers"][0] |= fields
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump_all(manifests), encoding="utf-8")
    return path


def test_what_is_not_hard_is_found_by_both(rendered: Rendered, tmp_path: Path) -> None:
    path = changed(rendered, tmp_path, securityContext={"privileged": True})
    new = without_reason([*checkov(path), *kube_score(path)], exceptions())
    assert {("checkov", "CKV_K8S_16"), ("kube-score", "container-security-context-privileged")} <= {
        (finding.checker, finding.check) for finding in new
    }


def test_an_unknown_field_is_refused(rendered: Rendered, tmp_path: Path) -> None:
    path = changed(rendered, tmp_path, imagePulPolicy="Always")
    assert any("imagePulPolicy" in line for line in kubernetes_validate(path))


def test_every_checkov_number_that_a_rule_names_is_a_check_of_the_pinned_checkov() -> None:
    named = {number for rule in RULES for number in rule.controls.get("Checkov", ())}
    assert len(named) > 20
    assert named <= checks_of_checkov()


def test_an_exception_covers_its_check_and_its_objects_alone() -> None:
    one = Exempt("checkov", "CKV_K8S_11", ("Job/model-weights-*", "Deployment/model"), "Because.")
    job = Finding("checkov", "CKV_K8S_11", "Job/model-weights-1a2b", "CPU limits")
    others = [
        Finding("checkov", "CKV_K8S_11", "Deployment/model-2", "CPU limits"),
        Finding("checkov", "CKV_K8S_12", "Deployment/model", "Memory limits"),
        Finding("kube-score", "CKV_K8S_11", "Deployment/model", "CPU limits"),
    ]
    assert without_reason([job, *others], [one]) == sorted(others)
    assert unused([job, *others], [one]) == ["checkov CKV_K8S_11 Deployment/model"]
