"""All resources of a stack as plain data."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from breakeven.cost.estimate import estimate
from breakeven.manifests.gateway.figures import GatewayFigures, TokenPrices
from breakeven.manifests.monitoring import component, rules
from breakeven.manifests.render import planned_cost_components, render, stack_components
from breakeven.planning.offline import load_stack
from tests.recording import STACKS, stack_of
from tests.unit.manifests.monitoring.stacks import planned_of

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize("stack", STACKS)
def test_manifests_are_plain_data_without_empty_fields(stack: str) -> None:
    for resource in render(stack_of(stack)):
        assert json.loads(json.dumps(resource.manifest)) == resource.manifest, resource.key
        assert "null" not in json.dumps({**resource.manifest, "data": {}}), resource.key


@pytest.mark.parametrize("stack", STACKS)
def test_what_a_resource_waits_for_is_rendered_before_it(stack: str) -> None:
    before: set[str] = set()
    for resource in render(stack_of(stack)):
        assert before.issuperset(resource.depends_on), resource.key
        before.add(resource.key)


@pytest.mark.parametrize("stack", STACKS)
def test_kind_and_name_known_before_rendering_are_those_of_the_manifest(stack: str) -> None:
    read = stack_of(stack)
    for each in stack_components(read):
        for resource in each.resources:
            known = resource.kind, resource.type
            rendered = replace(resource, manifest=dict(resource.manifest))
            assert (rendered.kind, rendered.type) == known, resource.key
            assert rendered.manifest == resource.manifest
            if known[0] == "PrometheusRule":
                assert rendered.manifest["metadata"]["name"] == resource.name


def test_pricing_a_stack_renders_no_alert_rule_and_no_dashboard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> dict[str, object]:
        pytest.fail("rendered")

    monkeypatch.setattr(rules, "rule_manifest", fail)
    monkeypatch.setattr(component, "dashboard_json", fail)
    loaded = load_stack("dev", TODAY)
    kinds = [entry.type.rsplit(":", 1)[1] for entry in loaded.ledger()]
    assert {"PrometheusRule", "ConfigMap"} <= set(kinds)
    assert estimate(loaded.ledger(), loaded.assumptions).total > 0


def test_the_namespace_is_the_first_component() -> None:
    first = stack_components(stack_of("dev"))[0]
    assert [each.kind for each in first.resources] == ["Namespace"]


def test_the_prices_of_tokens_are_in_the_configuration_of_the_gateway_alone() -> None:
    costs = TokenPrices(
        own=Decimal(1), api_input=Decimal(2), api_cached_input=Decimal(3), api_output=Decimal(4)
    )
    [model] = stack_of("hybrid").models
    prices = GatewayFigures(models={model.model.facts.name: costs})
    free, priced = (render(stack_of("hybrid"), each) for each in (None, prices))
    changed = {one.key for one, other in zip(free, priced, strict=True) if one != other}
    assert changed == {"ConfigMap/gateway", "Deployment/gateway"}


def test_planned_figures_need_monitoring_and_an_estimate() -> None:
    planned = [planned_of("dev")]
    monitored, unmonitored = stack_of("dev"), stack_of("dev", **{"monitoring.enabled": False})
    assert [each.name for each in planned_cost_components(monitored, planned)] == ["planned-cost"]
    assert planned_cost_components(monitored, []) == ()
    assert planned_cost_components(unmonitored, planned) == ()
