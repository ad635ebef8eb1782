"""The ledger of rendered data: what costs something, in a fixed order."""

from __future__ import annotations

from breakeven.cost.bill.registered import GPU_POOL
from breakeven.manifests.render import render, stack_components
from breakeven.planning.rendered_ledger import ledger_entries
from tests.recording import stack_of


def test_every_resource_and_the_pool_are_counted_and_no_other_component() -> None:
    stack = stack_of("hybrid")
    entries = ledger_entries(stack_components(stack))
    resources = {(each.type, each.name) for each in render(stack)}
    pools = {(each.type, each.name) for each in entries} - resources
    assert {kind for kind, _ in pools} == {GPU_POOL}
    assert len(entries) == len(resources) + 1


def test_the_order_is_that_of_type_and_name() -> None:
    components = stack_components(stack_of("dev"))
    entries = ledger_entries(components)
    assert ledger_entries(tuple(reversed(components))) == entries
    assert [(each.type, each.name) for each in entries] == sorted(
        (each.type, each.name) for each in entries
    )
