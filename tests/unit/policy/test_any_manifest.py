"""Rules over any values at all, and what remediation gives back."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.planning.offline import manifests_of_stack
from breakeven.policy.manifest import UNKNOWN, Resource, Scope
from breakeven.policy.registry import RULES
from breakeven.policy.rule import Level
from breakeven.policy.verdict import judge
from breakeven.settings.files import stack_names
from tests.unit.policy.manifests import base

TODAY = date(2026, 11, 25)
KINDS = sorted(
    {"Pod", "Secret", "ServiceAccount", "Role", "RoleBinding", "Ingress", "Gateway", "Release"}
    | {manifest["kind"] for manifest in base()}
)
NAMES = sorted({"from", "to", "image", "env", "name", "rules", "subjects", "spec", "containers"})

scalars = (
    st.none() | st.booleans() | st.integers(-2, 20_000) | st.floats() | st.text(max_size=8)
) | st.just(UNKNOWN)
values = st.recursive(
    scalars,
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), below, max_size=3)
    ),
    max_leaves=8,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every field of a manifest: its holder and its key."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    for key in keys:
        yield value, key
        yield from places(value[key])


def judged(manifests: list[dict[str, Any]]) -> list[tuple[str, str]]:
    scope = Scope(tuple(Resource(manifest) for manifest in manifests))
    found = judge(scope, RULES, (), TODAY).findings
    return sorted((finding.rule.id, finding.violation.path) for finding in found)


@given(kind=st.sampled_from(KINDS), parts=st.dictionaries(st.sampled_from(NAMES), values))
def test_no_rule_breaks_on_any_manifest(kind: str, parts: dict[str, Any]) -> None:
    judged([*base(), {**parts, "kind": kind}])


@given(data=st.data())
def test_no_rule_fails_on_a_field_of_another_type(data: st.DataObject) -> None:
    manifests = base()
    holder, key = data.draw(st.sampled_from(list(places(manifests))))
    if isinstance(holder[key], dict) and holder[key].get("kind"):
        holder = holder[key]
        key = "spec"
    holder[key] = data.draw(values)
    judged(manifests)


def test_an_unknown_value_breaks_no_rule() -> None:
    before = {rule for rule, _ in judged(base())}
    broken: dict[str, set[str]] = {}
    for number in range(len(list(places(base())))):
        manifests = base()
        holder, key = list(places(manifests))[number]
        if holder is manifests or key == "kind":
            continue
        holder[key] = UNKNOWN
        if more := {rule for rule, _ in judged(manifests)} - before:
            broken[f"{number} {key}"] = more
    assert broken == {}


@pytest.mark.parametrize("stack", stack_names())
def test_remediation_gives_back_what_was_taken_away_and_leaves_a_whole_manifest_alone(
    stack: str,
) -> None:
    remediating = [rule for rule in RULES if rule.level is Level.REMEDIATING]
    for resource in manifests_of_stack(stack)[0]:
        for rule in remediating:
            assert rule.remediate is not None
            assert rule.remediate(resource.manifest) is None
            if not resource.pods:
                continue
            bare = copy.deepcopy(dict(resource.manifest))
            contexts: list[Any] = []
            for pod in Resource(bare).pods:
                contexts += [pod.spec, *pod.spec["containers"]]
            for context in contexts:
                context.pop("securityContext", None)
                context.pop("automountServiceAccountToken", None)
                context.pop("enableServiceLinks", None)
            filled = rule.remediate(bare)
            assert filled is not None
            scope = Scope((Resource(filled),))
            assert not list(rule.check(scope.resources[0], scope))


def test_remediation_never_overwrites_what_is_stated() -> None:
    for rule in RULES:
        if rule.remediate is None:
            continue
        stated: dict[str, Any] = {
            "kind": "Pod",
            "spec": {
                "automountServiceAccountToken": True,
                "enableServiceLinks": True,
                "securityContext": {"seccompProfile": {"type": "Unconfined"}},
                "containers": [
                    {
                        "name": "a",
                        "securityContext": {
                            "allowPrivilegeEscalation": True,
                            "capabilities": {"drop": []},
                        },
                    }
                ],
            },
        }
        assert rule.remediate(stated) is None, rule.id
