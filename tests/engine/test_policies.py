"""The policy packs, run by the real engine."""

from __future__ import annotations

import json
from pathlib import Path

from tests.project_copy import HARDENING, Project

BUDGET = "policies/cost_budget/run"


def change(project: Project, path: str, old: str, new: str) -> None:
    file = project.root / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def waivers_of(project: Project) -> Path:
    return project.root / "stacks" / "waivers" / "kit.yaml"


def test_what_breaks_a_rule_fails_the_preview_and_an_expired_waiver_does_not_count(
    with_packs: Project,
) -> None:
    change(
        with_packs,
        "components/breakeven/manifests/serving/security.py",
        '"runAsNonRoot": True',
        '"runAsNonRoot": False',
    )
    path = waivers_of(with_packs)
    path.write_text(path.read_text("utf-8").replace("2999-12-31", "2026-01-31"), "utf-8")
    with_packs.set("dev", **{"pricing.budgetPerMonth": "1000"})
    result = with_packs.preview("dev", *HARDENING, "--policy-pack", BUDGET)

    assert result.returncode != 0
    assert "[mandatory] [severity: high]  pod-non-root" in result.stdout
    assert "runAsNonRoot: False" in result.stdout
    assert "Set runAsNonRoot to true" in result.stdout

    assert "[mandatory] [severity: high]  pod-read-only-root" in result.stdout
    assert "expired on 2026-01-31" in result.stdout
    assert "[advisory] [severity: low]  resources-cpu-limit" in result.stdout

    assert "[mandatory]  cost-within-budget" in result.stdout
    assert "over its budget of $1,000.00" in result.stdout
    assert "Budget: $1,000.00/month; the total is" in result.stdout


def test_within_its_budget_a_preview_passes_and_points_out_what_is_not_priced(
    with_packs: Project,
) -> None:
    with_packs.set("article", **{"pricing.budgetPerMonth": "100000"})
    result = with_packs.preview("article", "--policy-pack", BUDGET)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "the total is within" in result.stdout
    assert "cost-within-budget" not in result.stdout
    assert "[advisory]  everything-priced" in result.stdout


def test_what_is_safe_to_fill_in_is_filled_in(with_packs: Project) -> None:
    change(
        with_packs,
        "components/breakeven/manifests/serving/security.py",
        '"capabilities": {"drop": ["ALL"]},',
        "",
    )
    result = with_packs.preview("dev", "--json", *HARDENING)

    assert result.returncode == 0, result.stdout + result.stderr
    [deployment] = [
        step["newState"]["inputs"]
        for step in json.loads(result.stdout)["steps"]
        if step["newState"]["type"] == "kubernetes:apps/v1:Deployment"
    ]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    # And nothing else: the key still comes from its Secret.
    assert {"name": "VLLM_API_KEY"}.items() <= next(
        item.items() for item in container["env"] if "valueFrom" in item
    )


def test_waivers_that_cannot_be_used_fail_the_preview_by_name(with_packs: Project) -> None:
    waivers_of(with_packs).write_text(
        "waivers: [{rule: pod-read-only-rot, resource: Deployment/*/model}]", "utf-8"
    )
    result = with_packs.preview("dev", *HARDENING)

    assert result.returncode != 0
    assert "[mandatory]  waivers-valid" in result.stdout
    assert "Did you mean pod-read-only-root" in result.stdout, result.stdout


UNKNOWN_PROGRAM = """
import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap, Pod

first = ConfigMap("first", metadata={"namespace": "llm"}, data={})
unknown = first.id
Pod(
    "second",
    metadata={"namespace": "llm", "name": unknown, "labels": {"a": unknown}},
    spec={
        "serviceAccountName": unknown,
        "securityContext": unknown.apply(lambda uid: {"runAsUser": uid}),
        "containers": [
            {
                "name": "a",
                "image": unknown,
                "args": [unknown],
                "env": [{"name": "A", "value": unknown}],
            }
        ],
        "volumes": unknown.apply(lambda uid: [{"name": uid}]),
    },
)
"""


def test_values_that_are_not_known_at_preview_stop_no_rule(with_packs: Project) -> None:
    (with_packs.root / "__main__.py").write_text(UNKNOWN_PROGRAM, encoding="utf-8")
    result = with_packs.preview("dev", *HARDENING, "--policy-pack", "policies/airgap/run")

    output = result.stdout + result.stderr
    assert "cannot run policy" not in output
    assert "cannot run remediation" not in output
    assert "Traceback" not in output
    # What is known is judged all the same.
    assert "[mandatory] [severity: high]  account-no-token" not in output, "it was filled in"
    assert "[mandatory] [severity: high]  probes-set" in output
    assert "[mandatory] [severity: high]  pod-non-root" not in output
    assert "[mandatory] [severity: high]  image-digest" not in output
