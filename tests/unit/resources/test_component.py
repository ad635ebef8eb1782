"""Components: what they show, and what they remember."""

from __future__ import annotations

from pulumi_kubernetes.core.v1 import ConfigMap

from breakeven.resources.component import KitComponent
from tests.recording import register


class Pair(KitComponent):
    def __init__(self) -> None:
        super().__init__("test:Pair", "pair", {"size": 2, "names": ["a", "b"]}, None)
        first = self.add(ConfigMap("first", opts=self.child_options()))
        self.add(
            ConfigMap("second", opts=self.child_options(depends_on=[first], timeout_seconds=90))
        )


def test_inputs_are_registered_where_ledger_and_policies_see_them() -> None:
    _, registration = register(Pair)
    [pair] = [resource for resource in registration.resources if resource.name == "pair"]
    assert pair.type == "breakeven:test:Pair"
    assert pair.inputs == {"size": 2, "names": ["a", "b"]}


def test_every_child_is_remembered_in_order() -> None:
    component, registration = register(Pair)
    assert len(component.resources) == 2
    first, second = registration.of("ConfigMap")
    assert second.depends_on(first)
    assert (first.create_timeout, second.create_timeout) == ("", "90s")
