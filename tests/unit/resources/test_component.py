"""Components: manifests arrive at the engine as they are, with what they wait for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import pulumi

from breakeven.manifests.resource import Component, Resource
from breakeven.resources.component import BreakevenComponent
from tests.mock_engine import Registered, registered_by

THING: Mapping[str, Any] = {
    "apiVersion": "example.org/v1",
    "kind": "Thing",
    "metadata": {"name": "one", "annotations": {"pulumi.com/waitFor": "condition=Ready"}},
    # Names that look like Python's and names that do not: both belong to the cluster.
    "spec": {"camelCase": 1, "snake_case": [{"inner_name": True}], "dotted.io/key": "x"},
}
CONFIG: Mapping[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "files", "namespace": "llm"},
    "data": {"a": "b"},
}
FIRST = Resource(name="first", manifest=THING)


def pair(second: Resource, namespace: str | None = "llm") -> Component:
    return Component(
        type="breakeven:test:Pair",
        name="pair",
        inputs={"size": 2, "names": ["a", "b"]},
        namespace=namespace,
        resources=(FIRST, second),
    )


def registered(
    component: Component, namespace: pulumi.Input[str] | None = None
) -> dict[str, Registered]:
    async def program() -> None:
        made = BreakevenComponent(component, namespace=namespace)
        for resource in (made, *made.resources):
            await resource.urn.future()

    return {each.name: each for each in registered_by(program)[1]}


def test_inputs_are_registered_where_ledger_and_policies_see_them() -> None:
    found = registered(pair(Resource(name="second", manifest=CONFIG)))["pair"]
    assert found.type == "breakeven:test:Pair"
    assert found.inputs == {"size": 2, "names": ["a", "b"]}


def test_a_manifest_arrives_unchanged_under_the_token_of_its_kind() -> None:
    found = registered(pair(Resource(name="second", manifest=CONFIG)))
    assert found["first"].type == "kubernetes:example.org/v1:Thing"
    assert found["first"].inputs == THING
    assert found["second"].type == "kubernetes:core/v1:ConfigMap"
    assert found["second"].inputs == CONFIG


def test_the_provider_is_the_version_that_the_package_requires() -> None:
    found = registered(pair(Resource(name="second", manifest=CONFIG)))["second"]
    assert found.version == version("pulumi_kubernetes")


def test_a_resource_waits_for_another_and_has_its_own_time() -> None:
    second = Resource(name="second", manifest=CONFIG, depends_on=(FIRST.key,), timeout_seconds=90)
    found = registered(pair(second))
    assert found["second"].depends_on(found["first"])
    assert (found["first"].create_timeout, found["second"].create_timeout) == ("", "90s")


def test_the_namespace_is_an_input_for_what_lives_in_it() -> None:
    second = Resource(name="second", manifest=CONFIG)
    found = registered(pair(second), namespace="other")
    assert found["second"].inputs["metadata"]["namespace"] == "other"
    assert CONFIG["metadata"]["namespace"] == "llm"
    assert "namespace" not in found["first"].inputs["metadata"]
    elsewhere = registered(pair(second, namespace="third"), namespace="other")
    assert elsewhere["second"].inputs["metadata"]["namespace"] == "llm"


def test_another_cluster_has_one_provider_by_its_context() -> None:
    second = Resource(name="second", manifest=CONFIG, context="management")
    third = Resource(name="third", manifest={**CONFIG, "kind": "Secret"}, context="management")
    component = pair(second)
    both = Component(
        type=component.type, name=component.name, resources=(*component.resources, third)
    )
    found = registered(both)
    assert found["management"].inputs == {"context": "management"}
    assert found["second"].provider == found["third"].provider
    assert found["second"].provider.startswith(found["management"].urn)
    assert found["first"].provider == ""
