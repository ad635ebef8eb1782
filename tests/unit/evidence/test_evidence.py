"""Evidence: complete, honest about what it cannot know, and the same bytes for the same input."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from breakeven.bundle.archive.opening import open_bundle
from breakeven.bundle.archive.signing import make_keys, read_private_key, read_public_key
from breakeven.bundle.files import canonical_json
from breakeven.cli import evidence as command
from breakeven.cost.bill.registered import Registered
from breakeven.evidence.access import access_listing
from breakeven.evidence.callers import callers
from breakeven.evidence.page import page
from breakeven.evidence.record import (
    KIT_OWNER,
    NO_IDENTITY,
    NO_STATE,
    NOT_ASSESSED,
    PLAIN_TRANSPORT,
    Parts,
    control_map,
    evidence,
)
from breakeven.evidence.supply import bundle_facts, differences, image_list
from breakeven.planning.offline import ledger_of, manifests_of_stack
from tests.recording import STACKS, settings_of, stack_of
from tests.unit.bundle.builders import KEY, REVISION, Site, make_site
from tests.unit.cli.running import exit_code

PROVENANCE = {
    "program": {"name": "breakeven", "version": "0"},
    "stackFile": {"name": "Pulumi.on-prem.yaml", "sha256": "0" * 64},
    "commit": "",
    "isCommitted": False,
}
DEPLOYED = {
    "source": "pulumi stack export",
    "sha256": "0" * 64,
    "updated": "2026-11-30T10:00:00Z",
    "engine": "v3",
    "resources": 30,
    "changes": [{"resource": "Service/llm/model", "change": "is not deployed"}],
}
POLICIES: Mapping[str, Any] = {
    "rules": [
        {
            "id": "pod-non-root",
            "what": "No pod runs as root.",
            "level": "mandatory",
            "verdict": "kept",
            "judged": 3,
            "controls": {"CIS": ["5.2.7"]},
            "supports": {"SOC 2": ["CC6.1", "CC6.8"]},
        },
        {
            "id": "probes",
            "what": "Pods have probes.",
            "level": "advisory",
            "verdict": "waived",
            "judged": 1,
            "controls": {},
            "supports": {"SOC 2": ["CC6.1"]},
        },
    ],
    "findings": [
        {
            "rule": "probes",
            "resource": "Deployment/llm/model",
            "path": "spec",
            "found": "<script>alert(1)</script>",
            "status": "waived",
            "waiver": {"owner": "team", "reason": "measured & accepted", "expires": "2027-01-01"},
        }
    ],
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(tmp_path_factory.mktemp("site"))


def full(site: Site, stack: str = "on-prem") -> dict[str, Any]:
    bundle = open_bundle(site.pack().folder, KEY.public_key())
    read = stack_of(stack)
    resources = ledger_of(read)
    return evidence(
        Parts(
            stack=stack,
            provenance=PROVENANCE,
            deployed=DEPLOYED,
            callers=callers(manifests_of_stack(stack)[0], read),
            day=date(2026, 11, 25),
            bundle=bundle_facts(bundle, site.lock),
            differences=differences(site.lock, stack, [read.models[0].model], resources),
            images=image_list(resources),
            access=access_listing(resources),
            policies=POLICIES,
            log={"head": "0" * 64, "entries": []},
        )
    )


def test_the_same_input_gives_the_same_bytes(site: Site) -> None:
    one, two = full(site), full(site)
    assert canonical_json(one) == canonical_json(two)
    assert page(one, "d") == page(two, "d")


def test_the_bundle_is_named_by_digest_signer_lock_and_bill_of_materials(site: Site) -> None:
    found = full(site)["bundle"]
    manifest = open_bundle(site.folder / "bundle", KEY.public_key()).manifest
    assert found["digest"] == manifest.digest
    assert found["signer"] == manifest.signer
    assert found["lock"]["sha256"] == site.lock.digest
    hashes = {entry.path: entry.sha256 for entry in manifest.files}
    assert found["billOfMaterials"]["sha256"] == hashes["sbom.cdx.json"]
    assert found["model"]["files"][0]["sha256"] == site.lock.model.files[0].sha256


def test_an_image_that_the_bundle_does_not_carry_is_a_difference(site: Site) -> None:
    image = settings_of("on-prem").engine.image
    assert full(site)["differences"] == [f"image: {image} is not in the bundle"]


def test_another_stack_and_another_model_are_differences(site: Site) -> None:
    settings = settings_of("dev")
    found = differences(site.lock, "dev", [settings.model], ())
    assert found == [
        "the bundle is for stack on-prem",
        f"model: the stack serves revision {settings.model.revision}, not {REVISION}",
    ]


def test_every_model_that_the_bundle_does_not_carry_is_a_difference(site: Site) -> None:
    models = [each.model for each in stack_of("two-models").models]
    assert len(models) == 2
    assert differences(site.lock, "on-prem", models, ()) == [
        f"model: the stack serves revision {model.revision}, not {REVISION}" for model in models
    ]


@pytest.mark.parametrize("stack", STACKS)
def test_every_pod_of_every_stack_is_listed_and_none_has_a_right_or_a_token(stack: str) -> None:
    resources = ledger_of(stack_of(stack))
    access = access_listing(resources)
    expected = {
        f"{entry.type.rpartition(':')[2]}"
        for entry in resources
        if entry.type.endswith((":Deployment", ":Job", ":LeaderWorkerSet"))
    }
    assert {pod["workload"].partition("/")[0] for pod in access["pods"]} == expected
    assert access["roles"] == []
    assert not [pod for pod in access["pods"] if pod["mountsToken"]]
    assert not [account for account in access["accounts"] if account["mountsToken"]]
    assert all(pod["user"] >= 10_000 for pod in access["pods"])


def test_secrets_are_listed_by_name_and_a_token_is_assumed_unless_it_is_denied() -> None:
    pod = {
        "containers": [
            {"env": [{"valueFrom": {"secretKeyRef": {"name": "keys", "key": "api-key"}}}]}
        ],
        "volumes": [{"secret": {"secretName": "tls"}}],
    }
    deployment = Registered(
        "a", "kubernetes:apps/v1:Deployment", {"spec": {"template": {"spec": pod}}}
    )
    [found] = access_listing([deployment])["pods"]
    assert found["secrets"] == ["keys/api-key", "tls"]
    assert found["mountsToken"]
    assert found["account"] == "default"


def test_roles_and_bindings_are_listed_whole() -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    role = Registered("reader", "kubernetes:rbac.authorization.k8s.io/v1:Role", {"rules": rules})
    assert access_listing([role])["roles"] == [{"kind": "Role", "name": "reader", "rules": rules}]


def test_controls_name_every_rule_that_supports_them_with_its_verdict() -> None:
    found = control_map(POLICIES)
    assert found["CIS"]["5.2.7"] == [{"rule": "pod-non-root", "verdict": "kept"}]
    assert found["SOC 2"]["CC6.1"] == [
        {"rule": "pod-non-root", "verdict": "kept"},
        {"rule": "probes", "verdict": "waived"},
    ]


def test_what_was_not_given_is_said_to_be_missing(site: Site) -> None:
    found = full(site)
    assert found["notAssessed"] == [PLAIN_TRANSPORT, NO_IDENTITY, *NOT_ASSESSED]
    bare = evidence(
        Parts(
            stack="dev",
            provenance=PROVENANCE,
            deployed=None,
            callers={"transport": "http", "byNetwork": [], "byKey": [], "recordsWhoAsked": False},
            day=date(2026, 11, 25),
            bundle=None,
            differences=(),
            images=(),
            access={"accounts": [], "roles": [], "pods": []},
            policies=None,
            log=None,
        )
    )
    assert bare["notAssessed"][:3] == [NO_STATE, PLAIN_TRANSPORT, NO_IDENTITY]
    assert len(bare["notAssessed"]) == len(NOT_ASSESSED) + 6
    assert "No bundle was given." in page(bare, "d")


def test_the_page_escapes_what_it_shows_and_needs_nothing_beside_itself(site: Site) -> None:
    html = page(full(site), "d")
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "measured &amp; accepted" in html
    assert not re.findall(r"(?:src|href)=", html)


def test_the_command_verifies_the_bundle_first(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = tmp_path / "a.key", tmp_path / "a.pub"
    make_keys(private, public)
    folder = site.pack("signed", key=read_private_key(private)).folder
    arguments = ("evidence", "on-prem", "--bundle", str(folder), "--key", str(public))
    assert exit_code(monkeypatch, *arguments, "--day", "2026-11-25") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["bundle"]["lock"]["sha256"] == site.lock.digest
    assert found["day"] == "2026-11-25"
    html = tmp_path / "evidence.html"
    assert exit_code(monkeypatch, *arguments, "--format", "html", "--output", str(html)) == 0
    assert "Evidence for stack on-prem" in html.read_text()
    assert f"Written: {html}" in capsys.readouterr().err
    for form in ("json", "html"):
        signed = tmp_path / f"signed.{form}"
        where = ("--format", form, "--output", str(signed), "--sign-with", str(private))
        assert exit_code(monkeypatch, *arguments, *where) == 0
        signature = signed.with_name(f"{signed.name}.sig").read_bytes()
        read_public_key(public).verify(signature, signed.read_bytes())
    part = folder / "bundle.tar.0001"
    part.write_bytes(bytes(part.stat().st_size))
    assert exit_code(monkeypatch, *arguments) == 1
    assert "bundle.tar.000" in capsys.readouterr().err


def test_a_bundle_without_a_key_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(monkeypatch, "evidence", "on-prem", "--bundle", "x") == 1
    assert "--key" in capsys.readouterr().err
    assert command.Format.HTML.value == "html"


def test_a_log_without_entries_is_told_as_one_and_not_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "bundle.log"
    log.touch()
    assert exit_code(monkeypatch, "evidence", "on-prem", "--log", str(log)) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["log"] == {"head": "0" * 64, "entries": []}
    assert not [missing for missing in found["notAssessed"] if "--log" in missing]


def test_a_signature_needs_a_file_to_sign(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(monkeypatch, "evidence", "on-prem", "--sign-with", "x") == 1
    assert "--output FILE" in capsys.readouterr().err


def test_waivers_that_nobody_of_the_customers_accepted_are_named() -> None:
    finding = {**POLICIES["findings"][0], "waiver": {"owner": KIT_OWNER}}
    found = evidence(
        Parts(
            stack="dev",
            provenance=PROVENANCE,
            deployed=None,
            callers={},
            day=date(2026, 11, 25),
            bundle=None,
            differences=(),
            images=(),
            access={},
            policies={**POLICIES, "findings": [finding]},
            log=None,
        )
    )
    assert [item for item in found["notAssessed"] if "1 waivers included" in item]


def test_controls_that_no_rule_answers_are_named_with_what_does(site: Site) -> None:
    found = full(site)["openControls"]
    assert set(found["EU AI Act"]) == {f"Art. {number}" for number in range(9, 15)}
    assert "164.312(b)" in found["HIPAA 45 CFR"]
    assert set(found["ISO 27001:2022 Annex A"]) == {"A.5.23", "A.8.15"}
