"""What the program registers is what `render` returns, for every stack."""

from __future__ import annotations

from functools import cache

import pytest

from breakeven.manifests.gateway.figures import GatewayFigures
from breakeven.manifests.render import planned_cost_components, stack_components
from breakeven.manifests.resource import Component
from breakeven.resources.deployment import register
from breakeven.resources.registration import register_beside
from tests.mock_engine import Registered, registered_by
from tests.pools import CLUSTER_API
from tests.recording import STACKS, stack_of
from tests.unit.manifests.monitoring.stacks import planned_of

CASES = {**{stack: (stack, {}) for stack in STACKS}, "cluster api": ("on-prem", CLUSTER_API)}


@cache
def components_of(case: str) -> tuple[Component, ...]:
    stack, overrides = CASES[case]
    return stack_components(stack_of(stack, **overrides))


@cache
def registered(case: str) -> list[Registered]:
    stack, overrides = CASES[case]
    read = stack_of(stack, **overrides)
    return registered_by(lambda: register(read, GatewayFigures.none))[1]


@pytest.mark.parametrize("case", CASES)
def test_exactly_the_rendered_resources_are_registered(case: str) -> None:
    rendered = {
        (resource.type, resource.name): resource.manifest
        for component in components_of(case)
        for resource in (*component.resources, *component.started_last)
    }
    rendered |= {
        (component.type, component.name): component.inputs for component in components_of(case)
    }
    found = {
        (each.type, each.name): each.inputs
        for each in registered(case)
        if each.type != "pulumi:providers:kubernetes"
    }
    assert found == rendered
    assert len(found) == len(rendered)


@pytest.mark.parametrize("case", CASES)
def test_each_waits_for_its_namespace_and_for_what_it_names(case: str) -> None:
    by_name = {(each.type, each.name): each for each in registered(case)}
    [namespace] = [each for each in registered(case) if each.type.endswith(":Namespace")]
    by_key = {
        resource.key: by_name[resource.type, resource.name]
        for component in components_of(case)
        for resource in (*component.resources, *component.started_last)
    }
    for component in components_of(case):
        for resource in (*component.resources, *component.started_last):
            expected = {by_key[key].urn for key in resource.depends_on}
            if component.namespace is not None and resource.namespace == component.namespace:
                expected.add(namespace.urn)
            found = by_key[resource.key]
            assert found.dependencies == expected, resource.key
            seconds = resource.timeout_seconds
            assert found.create_timeout == ("" if seconds is None else f"{seconds}s")


@pytest.mark.parametrize("case", CASES)
def test_keys_are_unique_in_a_stack(case: str) -> None:
    keys = [
        resource.key
        for component in components_of(case)
        for resource in (*component.resources, *component.started_last)
    ]
    assert len(set(keys)) == len(keys)


def test_the_gateway_starts_after_everything_else() -> None:
    names = [(each.type.rpartition(":")[2], each.name) for each in registered("hybrid")]
    kinds = ("ConfigMap", "Deployment", "HorizontalPodAutoscaler")
    expected = {(kind, name) for kind in kinds for name in ("gateway", "gateway-egress")}
    assert set(names[-6:]) == expected


def test_prices_are_asked_for_only_by_a_gateway() -> None:
    def unknown() -> GatewayFigures:
        raise AssertionError

    registered_by(lambda: register(stack_of("dev"), unknown))


def test_outputs_have_the_address_of_each_model() -> None:
    outputs, _ = registered_by(lambda: register(stack_of("two-models"), GatewayFigures.none))
    assert outputs["endpoints"] == {
        "llama-3.1-8b-instruct": "http://model.llm.svc:8000/v1",
        "qwen3-14b": "http://model-qwen3-14b.llm.svc:8000/v1",
    }
    assert outputs["endpoint"] == "http://model.llm.svc:8000/v1"


def test_planned_figures_are_rules_of_a_component_of_their_own() -> None:
    read = stack_of("dev")
    _, found = registered_by(
        lambda: register_beside(planned_cost_components(read, [planned_of("dev")]))
    )
    assert [(each.type, each.name) for each in found] == [
        ("breakeven:monitoring:PlannedCostRules", "planned-cost"),
        ("kubernetes:monitoring.coreos.com/v1:PrometheusRule", "model-cost"),
    ]


def test_a_stack_that_is_not_monitored_has_no_planned_figures() -> None:
    read = stack_of("dev", **{"monitoring.enabled": False})
    _, found = registered_by(
        lambda: register_beside(planned_cost_components(read, [planned_of("dev")]))
    )
    assert found == []
