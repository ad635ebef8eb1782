"""Every rule, by cases: what is good, what is bad, and what nearly is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from breakeven.policy.frameworks import frameworks, supported
from breakeven.policy.manifest import Resource, Scope
from breakeven.policy.registry import RULES
from breakeven.policy.rule import Level, Violation
from breakeven.policy.verdict import judge
from tests.each import each
from tests.unit.policy.manifests import cases, scope_of

BY_ID = {rule.id: rule for rule in RULES}
CASES = cases()


def of(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for identifier, entry in CASES.items():
        shared = entry.get("base", {})
        changes = entry.get(kind, [])
        if kind == "good":
            changes = [*changes, {}]
        for change in changes:
            yield identifier, {**shared, **change}


def found(identifier: str, change: dict[str, Any]) -> list[Violation]:
    scope = scope_of(change)
    rule = BY_ID[identifier]
    return [violation for resource in scope.resources for violation in rule.check(resource, scope)]


@each("identifier, change", of("good"))
def test_what_keeps_a_rule_passes(identifier: str, change: dict[str, Any]) -> None:
    assert found(identifier, change) == []


@each("identifier, change", of("bad"))
def test_what_breaks_a_rule_is_found(identifier: str, change: dict[str, Any]) -> None:
    assert found(identifier, change)


@each("identifier, change", of("near"))
def test_what_nearly_breaks_a_rule_passes(identifier: str, change: dict[str, Any]) -> None:
    assert found(identifier, change) == []


@each("identifier", BY_ID)
def test_every_rule_has_bad_and_near_cases(identifier: str) -> None:
    assert CASES[identifier]["bad"]
    assert CASES[identifier]["near"]


def test_cases_are_about_rules_that_exist_and_identifiers_are_unique() -> None:
    assert CASES.keys() == BY_ID.keys()
    assert len(BY_ID) == len(RULES)


@each("rule", RULES)
def test_every_rule_says_what_must_hold_and_what_to_do(rule: Any) -> None:
    assert rule.what.endswith(".")
    assert rule.do.endswith(".")
    assert any(rule.theme in themes for themes in frameworks().values())
    assert (rule.level is Level.REMEDIATING) == (rule.remediate is not None)
    assert not (rule.needs_all and rule.remediate)


def test_a_secret_that_is_found_is_not_repeated() -> None:
    change = {"container env +": {"name": "DB_PASSWORD", "value": "hunter2"}}
    assert all(
        "hunter2" not in violation.found for violation in found("secret-not-literal", change)
    )


def test_no_rule_claims_to_cover_a_whole_framework() -> None:
    for rule in RULES:
        by_framework = supported(rule)
        assert all(len(controls) <= 2 for controls in by_framework.values())
        assert sum(map(len, by_framework.values())) <= 10


def test_no_control_is_claimed_by_most_rules() -> None:
    claims = Counter(
        (framework, control)
        for rule in RULES
        for framework, controls in supported(rule).items()
        for control in controls
    )
    assert claims.most_common(1)[0][1] <= len(RULES) / 3


def test_every_theme_of_a_framework_is_one_of_a_rule() -> None:
    themes = {rule.theme for rule in RULES}
    assert all(set(found) <= themes for found in frameworks().values())


def test_a_rule_that_is_about_nothing_that_is_there_is_not_applicable() -> None:
    service = Resource({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}})
    output = judge(Scope((service,)), RULES, (), date(2026, 11, 30)).as_output()
    by_id = {rule["id"]: rule for rule in output["rules"]}
    assert (by_id["pod-seccomp"]["verdict"], by_id["pod-seccomp"]["judged"]) == (
        "not applicable",
        0,
    )
    assert by_id["image-in-lock"]["verdict"] == "not applicable"
    assert by_id["service-no-external-ips"]["verdict"] == "kept"
    assert by_id["service-no-external-ips"]["judged"] == 1
