"""Every rule, by cases: what is good, what is bad, and what nearly is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from breakeven.policy.frameworks import frameworks
from breakeven.policy.registry import RULES
from breakeven.policy.rule import Level, Violation
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
    assert all(rule.theme in themes for themes in frameworks().values())
    assert (rule.level is Level.REMEDIATING) == (rule.remediate is not None)
    assert not (rule.needs_all and rule.remediate)


def test_a_secret_that_is_found_is_not_repeated() -> None:
    change = {"container env +": {"name": "DB_PASSWORD", "value": "hunter2"}}
    assert all(
        "hunter2" not in violation.found for violation in found("secret-not-literal", change)
    )
