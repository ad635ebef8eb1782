"""Every hardening field of every stack of the kit: where it is taken away, a rule says so."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from breakeven.planning.offline import manifests_of_stack
from breakeven.policy.manifest import Resource, Scope
from breakeven.policy.registry import RULES
from breakeven.settings.files import stack_names
from tests.unit.policy.mutations import mutations

Found = set[tuple[str, str, str]]


def found(scope: Scope, number: int | None) -> Found:
    """What is found in one of the manifests; where none is named, by rules that see them all."""
    looked_at = scope.resources if number is None else scope.resources[number : number + 1]
    return {
        (rule.id, resource.reference, violation.path)
        for rule in RULES
        if rule.needs_all is (number is None)
        for resource in looked_at
        for violation in rule.check(resource, scope)
    }


@pytest.mark.parametrize("stack", stack_names())
def test_every_hardening_field_that_is_taken_away_is_found(
    stack: str, caught: Callable[[str, int, int], None]
) -> None:
    resources, _ = manifests_of_stack(stack)
    originals = [copy.deepcopy(dict(resource.manifest)) for resource in resources]
    judged = {id(manifest): Resource(manifest) for manifest in originals}
    whole = Scope(tuple(judged.values()))
    own = [found(whole, number) for number in range(len(originals))]
    together = found(whole, None)
    removed, missed = 0, []
    for what, number, manifests in mutations(originals):
        changed = Scope(tuple(judged.get(id(one)) or Resource(one) for one in manifests))
        removed += 1
        taken_away = len(manifests) < len(originals)
        seen = not taken_away and not found(changed, number) <= own[number]
        if not seen and found(changed, None) <= together:
            missed.append(what)
    caught(stack, removed - len(missed), removed)
    assert missed == []
    assert removed > 30
