"""What the stack renders for the gateway."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import yaml

from breakeven.cost.estimate import estimate
from breakeven.manifests.gateway.component import gateway_component
from breakeven.manifests.gateway.labels import GATEWAY_LABELS, STORE_LABELS
from breakeven.manifests.gateway.prices import TokenPrices
from breakeven.manifests.render import stack_components
from breakeven.planning.inputs import token_prices
from breakeven.planning.offline import estimate_stack, load_stack
from breakeven.planning.rendered_ledger import ledger_entries
from breakeven.reports.document.writing import as_output
from breakeven.reports.estimate_text import render
from breakeven.reports.formatting import rate
from tests.golden.test_golden import TODAY
from tests.recording import Recorded, Registration, register_priced, resources_of, settings_of

PRICES = TokenPrices(
    own=Decimal("0.53"),
    api_input=Decimal("0.4"),
    api_cached_input=Decimal("0.1"),
    api_output=Decimal("1.6"),
)


def rendered(**overrides: object) -> Registration:
    settings = settings_of("hybrid", **overrides)
    return resources_of(gateway_component("gateway", settings, settings.gateway, PRICES))


def deployment(registration: Registration, name: str = "gateway") -> Recorded:
    [found] = [one for one in registration.of("Deployment") if one.name == name]
    return found


def files(registration: Registration) -> dict[str, str]:
    return dict(registration.one("ConfigMap").inputs["data"])


def litellm(registration: Registration) -> dict[str, Any]:
    return dict(yaml.safe_load(files(registration)["litellm.yaml"]))


def test_no_api_is_rendered_where_data_may_not_leave() -> None:
    registration = rendered(**{"network.dataMayLeave": False})
    text = json.dumps([one.inputs for one in registration.resources])
    for trace in ("openai.com", "gpt-4.1", "OVERFLOW", "overflow-api"):
        assert trace not in text
    assert [model["model_info"]["id"] for model in litellm(registration)["model_list"]] == [
        "own",
        "inside",
        "again",
    ]
    rules = json.loads(files(registration)["policy.json"])
    assert rules["apiModel"] is None
    assert not any(team["mayLeave"] for team in rules["teams"].values())


def test_what_stays_inside_has_nothing_outside_to_fall_back_to() -> None:
    fallbacks: dict[str, list[str]] = {}
    for entry in litellm(rendered())["router_settings"]["fallbacks"]:
        fallbacks |= entry
    reached, found = {"inside"}, {"inside"}
    while found:
        found = {name for one in found for name in fallbacks.get(one, ())} - reached
        reached |= found
    models = {model["model_name"]: model for model in litellm(rendered())["model_list"]}
    assert {models[name]["litellm_params"]["api_base"] for name in reached} == {
        json.loads(files(rendered())["policy.json"])["ownAddress"]
    }


def test_prices_are_the_estimates_and_the_apis() -> None:
    report = estimate_stack("hybrid", TODAY)
    [config] = [
        one for one in register_priced("hybrid", TODAY).of("ConfigMap") if one.name == "gateway"
    ]
    models = {
        model["model_info"]["id"]: model["model_info"]
        for model in yaml.safe_load(config.inputs["data"]["litellm.yaml"])["model_list"]
    }
    a_million = report.usd_per_million_own_tokens
    assert a_million is not None
    own = float(Decimal(rate(a_million)) / 10**6)
    assert rate(a_million) in json.dumps(as_output(report))
    for name in ("own", "inside", "again"):
        assert models[name]["input_cost_per_token"] == own
        assert models[name]["output_cost_per_token"] == own
    # A mean request, priced by the gateway's prices, costs what the estimate says.
    load, api = report.assumptions.load, models["api"]
    cached = load.cached_input_tokens
    request = (
        (load.input_tokens - cached) * api["input_cost_per_token"]
        + cached * api["cache_read_input_token_cost"]
        + load.output_tokens * api["output_cost_per_token"]
    )
    assert request == pytest.approx(float(report.api.price.usd_per_request))


def test_resources_that_start_last_cost_nothing() -> None:
    # The gateway's pods are told what a token costs, so the estimate is made without them.
    loaded = load_stack("hybrid", TODAY)
    components = stack_components(loaded.stack)
    waiting = {one.key for component in components for one in component.started_last}
    assert waiting == {"ConfigMap/gateway", "Deployment/gateway"}
    before = [replace(component, started_last=()) for component in components]
    first, whole = (
        estimate(ledger_entries(counted), loaded.assumptions) for counted in (before, components)
    )
    assert first.bill == whole.bill


def test_where_all_is_planned_to_overflow_an_own_token_has_the_price_of_any() -> None:
    report = estimate_stack("hybrid", TODAY)
    assumptions = report.assumptions
    week = replace(assumptions.simulated.totals, overflow_share=1.0)
    simulated = replace(assumptions.simulated, totals=week)
    nothing = estimate((), replace(assumptions, simulated=simulated))
    assert nothing.usd_per_million_own_tokens is None
    assert as_output(nothing)["selfHosted"]["perMillionOwnTokens"] is None  # type: ignore[index]
    assert "own tokens cost" not in render(nothing)
    assert token_prices(nothing).own == Decimal(rate(nothing.usd_per_million_tokens))


def test_no_secret_is_registered() -> None:
    registration = rendered()
    for one in (deployment(registration), deployment(registration, "gateway-store")):
        for variable in one.container["env"]:
            secret = any(word in variable["name"] for word in ("KEY", "PASSWORD"))
            assert secret is ("valueFrom" in variable), variable["name"]
    assert not registration.of("Secret")


@pytest.mark.parametrize("name", ["gateway", "gateway-store"])
def test_pods_are_restricted_and_write_only_to_their_volumes(name: str) -> None:
    one = deployment(rendered(), name)
    assert one.pod["securityContext"]["runAsNonRoot"] is True
    assert one.pod["automountServiceAccountToken"] is False
    security = one.container["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}


def test_images_have_tag_and_digest() -> None:
    for name in ("gateway", "gateway-store"):
        assert "@sha256:" in deployment(rendered(), name).container["image"]


def test_a_change_of_the_rules_starts_new_pods() -> None:
    def digest(**overrides: object) -> object:
        template = deployment(rendered(**overrides)).spec["template"]
        return template["metadata"]["annotations"]

    assert digest() == digest()
    assert digest() != digest(**{"gateway.teams": {"product": {}, "legal": {}}})


@pytest.mark.parametrize(("own", "api", "longest"), [(600, 60, 600), (120, 900, 900)])
def test_a_stopping_gateway_has_time_for_the_longest_answer(
    own: int, api: int, longest: int
) -> None:
    one = deployment(
        rendered(**{"engine.longestRequestSeconds": own, "gateway.overflow.timeoutSeconds": api})
    )
    sleep = one.container["lifecycle"]["preStop"]["sleep"]["seconds"]
    grace = one.pod["terminationGracePeriodSeconds"]
    assert sleep + longest <= grace <= sleep + longest + 60


def test_without_an_api_its_time_out_keeps_no_gateway_alive() -> None:
    inside = rendered(
        **{
            "network.dataMayLeave": False,
            "engine.longestRequestSeconds": 120,
            "gateway.overflow.timeoutSeconds": 900,
        }
    )
    assert deployment(inside).pod["terminationGracePeriodSeconds"] < 900


def test_services_and_budget_select_their_pods() -> None:
    registration = rendered()
    labels = {
        name: deployment(registration, name).spec["template"]["metadata"]["labels"]
        for name in ("gateway", "gateway-store")
    }
    assert GATEWAY_LABELS.items() <= labels["gateway"].items()
    assert STORE_LABELS.items() <= labels["gateway-store"].items()
    services = {one.name: one.spec for one in registration.of("Service")}
    for name in ("gateway", "gateway-store"):
        assert services[name]["selector"].items() <= labels[name].items()
    assert services["model-replicas"]["clusterIP"] == "None"
    budget = registration.one("PodDisruptionBudget").spec
    assert budget["selector"]["matchLabels"].items() <= labels["gateway"].items()


def test_with_a_load_balancer_it_is_the_gateway_that_has_it() -> None:
    registration = register_priced("hybrid", TODAY)
    services = {one.name: one for one in registration.of("Service")}
    assert {one.spec["type"] for one in services.values()} == {"ClusterIP"}
    balanced = {
        one.name: one.spec["type"]
        for one in rendered(
            **{
                "network.exposure": "internal-load-balancer",
                "network.clientNetworks": ["10.0.0.0/8"],
            }
        ).of("Service")
    }
    assert balanced["gateway"] == "LoadBalancer"
    assert set(balanced.values()) == {"LoadBalancer", "ClusterIP"}


def test_prometheus_finds_the_gateways_and_their_port() -> None:
    registration = rendered()
    spec = registration.one("PodMonitor").spec
    gateway = deployment(registration)
    labels = gateway.template["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    [endpoint] = spec["podMetricsEndpoints"]
    ports = {port["name"]: port["containerPort"] for port in gateway.container["ports"]}
    assert ports[endpoint["port"]] == json.loads(files(registration)["policy.json"])["metricsPort"]
