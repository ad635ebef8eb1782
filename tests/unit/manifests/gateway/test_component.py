"""What the stack renders for the gateway."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import yaml

from breakeven.cost.estimate import estimate
from breakeven.errors import SettingsError
from breakeven.manifests.gateway.component import gateway_component
from breakeven.manifests.gateway.figures import GatewayFigures, TokenPrices
from breakeven.manifests.gateway.filters import CONNECTION_SECONDS
from breakeven.manifests.gateway.labels import GATEWAY_LABELS, STORE_LABELS
from breakeven.manifests.gateway.sizing import CPU_TARGET_PERCENT
from breakeven.manifests.render import stack_components
from breakeven.planning.gateway import gateway_figures
from breakeven.planning.offline import estimate_stack, load_stack, load_values
from breakeven.planning.rendered_ledger import ledger_entries
from breakeven.reports.document.writing import as_output
from breakeven.reports.estimate_text import render
from breakeven.reports.formatting import rate
from breakeven.settings.files import stack_values, with_settings
from tests.golden.test_golden import TODAY
from tests.recording import Recorded, Registration, register_priced, resources_of, settings_of

OF_TOKENS = TokenPrices(
    own=Decimal("0.53"),
    api_input=Decimal("0.4"),
    api_cached_input=Decimal("0.1"),
    api_output=Decimal("1.6"),
)
PRICES = GatewayFigures(models={settings_of("hybrid").model.facts.name: OF_TOKENS})

SETS = ("gateway", "gateway-egress", "gateway-store")


def rendered(**overrides: object) -> Registration:
    settings = settings_of("hybrid", **overrides)
    return resources_of(gateway_component("gateway", settings, settings.gateway, PRICES))


def deployment(registration: Registration, name: str = "gateway") -> Recorded:
    [found] = [one for one in registration.of("Deployment") if one.name == name]
    return found


def config(registration: Registration, name: str = "gateway") -> dict[str, str]:
    [found] = [one for one in registration.of("ConfigMap") if one.name == name]
    return dict(found.inputs["data"])


def envoy(registration: Registration) -> dict[str, Any]:
    return dict(yaml.safe_load(config(registration)["envoy.yaml"]))


def http(configuration: dict[str, Any], name: str) -> dict[str, Any]:
    """The connection manager of a listener."""
    [found] = [one for one in configuration["static_resources"]["listeners"] if one["name"] == name]
    return dict(found["filter_chains"][0]["filters"][0]["typed_config"])


def routes(configuration: dict[str, Any], name: str) -> list[dict[str, Any]]:
    [host] = http(configuration, name)["route_config"]["virtual_hosts"]
    return list(host["routes"])


def reads(configuration: dict[str, Any], name: str) -> dict[str, Any]:
    """What the program of a listener reads."""
    [host] = http(configuration, name)["route_config"]["virtual_hosts"]
    return dict(host["typed_per_filter_config"]["envoy.filters.http.lua"]["filter_context"])


def test_pods_follow_cpu_from_two_to_one_more_than_the_busiest_minute_asks_for() -> None:
    settings = settings_of("hybrid")
    for most, highest in ((0, 3), (2, 3), (7, 8)):
        figures = replace(PRICES, most_pods=most)
        registration = resources_of(
            gateway_component("gateway", settings, settings.gateway, figures)
        )
        scalers = registration.of("HorizontalPodAutoscaler")
        assert {one.name for one in scalers} == {"gateway", "gateway-egress"}
        for scaler in scalers:
            spec = scaler.inputs["spec"]
            assert spec["scaleTargetRef"]["name"] == scaler.name
            assert (spec["minReplicas"], spec["maxReplicas"]) == (2, highest)
            [metric] = spec["metrics"]
            assert metric["resource"]["target"]["averageUtilization"] == CPU_TARGET_PERCENT
    # A number of pods in the Deployment would undo the autoscaler's with each update.
    assert "replicas" not in deployment(registration).inputs["spec"]


def test_the_estimate_tells_how_many_pods_the_busiest_minute_asks_for() -> None:
    report = estimate_stack("hybrid", TODAY)
    peak = report.gateway_peak
    assert peak is not None
    assert gateway_figures(report).most_pods == peak.pods == 4


def test_no_api_is_rendered_where_data_may_not_leave() -> None:
    registration = rendered(**{"network.dataMayLeave": False})
    text = json.dumps([one.inputs for one in registration.resources])
    for trace in ("openai", "gpt-", "OVERFLOW", "overflow-api", "to-api"):
        assert trace not in text
    configuration = envoy(registration)["static_resources"]
    assert [one["name"] for one in configuration["listeners"]] == ["clients", "own", "metrics"]
    assert [one["name"] for one in configuration["clusters"]] == [
        "to-own",
        "inside",
        "ratelimit",
        "admin",
    ]


def test_a_route_that_leaves_asks_for_a_team_that_may_and_for_no_mark() -> None:
    """Whatever a request lacks, it falls to a route without a way out."""
    found = [
        route
        for route in routes(envoy(rendered()), "clients")
        if route.get("route", {}).get("cluster") in ("own-then-api", "to-api")
    ]
    assert found
    for route in found:
        headers = {one["name"]: one for one in route["match"]["headers"]}
        team = headers["x-team"]["string_match"]["safe_regex"]["regex"]
        assert team.split("|") == ["product"]
        mark = headers["x-stay-inside"]
        assert mark.get("string_match") == {"exact": "false"} or (
            mark["present_match"] and mark["invert_match"]
        )


def test_only_the_listener_of_the_api_reaches_it() -> None:
    configuration = envoy(rendered())
    for name in ("clients", "own", "metrics"):
        clusters = {route.get("route", {}).get("cluster") for route in routes(configuration, name)}
        assert "api" not in clusters
    assert routes(configuration, "api")[0]["route"]["cluster"] == "api"


def test_own_pages_and_inner_listeners_are_on_loopback_alone() -> None:
    configuration = envoy(rendered())
    assert configuration["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"
    at = {
        one["name"]: one["address"]["socket_address"]["address"]
        for one in configuration["static_resources"]["listeners"]
    }
    assert at == {
        "clients": "0.0.0.0",  # noqa: S104  # the pod's address
        "own": "127.0.0.1",
        "api": "127.0.0.1",
        "metrics": "0.0.0.0",  # noqa: S104  # as above
    }
    pages = [route["match"]["path"] for route in routes(configuration, "metrics")]
    assert pages == ["/metrics", "/ready"]


def test_the_api_is_no_fallback_for_paths_that_it_lacks() -> None:
    def leaving(**overrides: object) -> set[str]:
        return {
            path
            for route in routes(envoy(rendered(**overrides)), "clients")
            if route.get("route", {}).get("cluster") == "own-then-api"
            for path in route["match"]["safe_regex"]["regex"].split("|")
        }

    assert leaving() == {"/v1/chat/completions"}
    more = ["/v1/chat/completions", "/v1/responses"]
    assert leaving(**{"gateway.overflow.paths": more}) == set(more)


def test_models_are_listed_with_their_adapters() -> None:
    adapters = [f"sql=acme/sql@{'1' * 40}"]
    found = routes(envoy(rendered(**{"model.loraAdapters": adapters})), "clients")
    [listed] = [route for route in found if route["name"] == "models"]
    names = [
        one["id"] for one in json.loads(listed["direct_response"]["body"]["inline_string"])["data"]
    ]
    assert names[1] == "sql"
    inside = next(route for route in found if route["name"] == "inside")
    model = next(one for one in inside["match"]["headers"] if one["name"] == "x-model")
    assert model["string_match"]["safe_regex"]["regex"].endswith("|sql")


def test_prices_are_the_estimates_and_the_apis() -> None:
    report = estimate_stack("hybrid", TODAY)
    [found] = [
        one for one in register_priced("hybrid", TODAY).of("ConfigMap") if one.name == "gateway"
    ]
    configuration = yaml.safe_load(found.inputs["data"]["envoy.yaml"])
    a_million = report.usd_per_million_own_tokens
    assert a_million is not None
    assert rate(a_million) in json.dumps(as_output(report))
    own, api = (
        reads(configuration, listener)["models"][report.assumptions.model_name]
        for listener in ("own", "api")
    )
    for kind in ("input", "cached", "output"):
        assert own[kind] == pytest.approx(float(rate(a_million)) * 1000)
    # A mean request, priced by the gateway's prices, costs what the estimate says.
    load = report.assumptions.load
    cached = load.cached_input_tokens
    nano = (
        (load.input_tokens - cached) * api["input"]
        + cached * api["cached"]
        + load.output_tokens * api["output"]
    )
    assert nano / 1e9 == pytest.approx(float(report.api.price.usd_per_request))


def test_resources_that_start_last_cost_nothing() -> None:
    # The gateway's configuration contains the token price, so the estimate excludes its pods.
    loaded = load_stack("hybrid", TODAY)
    components = stack_components(loaded.stack)
    waiting = {one.key for component in components for one in component.started_last}
    kinds = ("ConfigMap", "Deployment", "HorizontalPodAutoscaler")
    assert waiting == {f"{kind}/{name}" for kind in kinds for name in ("gateway", "gateway-egress")}
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
    [prices] = gateway_figures(nothing).models.values()
    assert prices.own == Decimal(rate(nothing.usd_per_million_tokens))


def test_no_secret_is_registered() -> None:
    registration = rendered()
    for variable in deployment(registration).container["env"]:
        assert "valueFrom" in variable, variable["name"]
    assert not registration.of("Secret")


@pytest.mark.parametrize("name", ["gateway", "gateway-store"])
def test_pods_are_restricted_and_write_only_to_their_volumes(name: str) -> None:
    one = deployment(rendered(), name)
    assert one.pod["securityContext"]["runAsNonRoot"] is True
    assert one.pod["automountServiceAccountToken"] is False
    for container in (*one.pod["containers"], *one.pod.get("initContainers", ())):
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert "@sha256:" in container["image"]


def test_a_change_of_the_rules_starts_new_pods() -> None:
    def digests(**overrides: object) -> list[object]:
        registration = rendered(**overrides)
        return [
            deployment(registration, name).spec["template"]["metadata"]["annotations"]
            for name in ("gateway", "gateway-store")
        ]

    assert digests() == digests()
    changed = digests(**{"gateway.teams": {"product": {"tokensPerDay": 7}, "legal": {}}})
    assert all(old != new for old, new in zip(digests(), changed, strict=True))


@pytest.mark.parametrize(("own", "api", "longest"), [(600, 60, 600), (120, 900, 900)])
def test_a_stopping_gateway_has_time_for_the_longest_answer(
    own: int, api: int, longest: int
) -> None:
    """Envoy ends at the signal to stop, so all that it began must have ended before."""
    one = deployment(
        rendered(**{"engine.longestRequestSeconds": own, "gateway.overflow.timeoutSeconds": api})
    )
    sleep = one.container["lifecycle"]["preStop"]["sleep"]["seconds"]
    grace = one.pod["terminationGracePeriodSeconds"]
    assert CONNECTION_SECONDS + longest < sleep < grace <= CONNECTION_SECONDS + longest + 60


def test_without_an_api_its_time_out_keeps_no_gateway_alive() -> None:
    inside = rendered(
        **{
            "network.dataMayLeave": False,
            "engine.longestRequestSeconds": 120,
            "gateway.overflow.timeoutSeconds": 900,
        }
    )
    assert deployment(inside).pod["terminationGracePeriodSeconds"] < 900


@pytest.mark.parametrize("name", ["gateway", "gateway-egress"])
def test_pods_of_a_lost_node_are_replaced_after_a_minute(name: str) -> None:
    pod = deployment(rendered(), name).inputs["spec"]["template"]["spec"]
    waits = {each["key"]: each["tolerationSeconds"] for each in pod["tolerations"]}
    assert waits == dict.fromkeys(
        ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"), 60
    )


def test_services_and_budget_select_their_pods() -> None:
    registration = rendered()
    labels = {
        name: deployment(registration, name).spec["template"]["metadata"]["labels"] for name in SETS
    }
    assert GATEWAY_LABELS.items() <= labels["gateway"].items()
    assert STORE_LABELS.items() <= labels["gateway-store"].items()
    services = {one.name: one.spec for one in registration.of("Service")}
    for name in SETS:
        assert services[name]["selector"].items() <= labels[name].items()
    assert services["model-replicas"]["clusterIP"] == "None"
    assert services["gateway-egress"]["clusterIP"] == "None"
    budgets = {one.name: one.spec for one in registration.of("PodDisruptionBudget")}
    assert set(budgets) == {"gateway", "gateway-egress"}
    for name, budget in budgets.items():
        assert budget["selector"]["matchLabels"].items() <= labels[name].items()
        others = [each for each in SETS if each != name]
        assert not any(
            budget["selector"]["matchLabels"].items() <= labels[each].items() for each in others
        )


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
    monitors = {one.name: one.spec for one in registration.of("PodMonitor")}
    assert set(monitors) == {"gateway", "gateway-egress"}
    for name, spec in monitors.items():
        gateway = deployment(registration, name)
        labels = gateway.template["metadata"]["labels"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()
        [endpoint] = spec["podMetricsEndpoints"]
        ports = {port["name"]: port["containerPort"] for port in gateway.container["ports"]}
        configuration = yaml.safe_load(config(registration, name)["envoy.yaml"])
        [listener] = [
            one
            for one in configuration["static_resources"]["listeners"]
            if one["name"] == "metrics"
        ]
        assert ports[endpoint["port"]] == listener["address"]["socket_address"]["port_value"]


def test_a_certificate_is_ordered_for_the_names_by_which_clients_call() -> None:
    tls = {"gateway.tls.secret": "gateway-certificate", "gateway.hostname": "llm.example.internal"}
    assert not rendered(**tls).of("Certificate")
    [order] = rendered(**tls, **{"gateway.tls.issuer": "internal"}).of("Certificate")
    spec = order.inputs["spec"]
    assert spec["dnsNames"][:2] == ["llm.example.internal", "gateway.llm.svc"]
    assert (spec["secretName"], spec["issuerRef"]["name"]) == ("gateway-certificate", "internal")
    changed = with_settings(stack_values("hybrid"), {**tls, "gateway.tls.issuer": "internal"})
    report = load_values("hybrid", changed, TODAY).report()
    assert not report.infrastructure.not_priced, "an order costs nothing"


def test_an_issuer_needs_a_secret_to_fill() -> None:
    with pytest.raises(SettingsError, match=r"gateway\.tls\.issuer"):
        settings_of("hybrid", **{"gateway.tls.issuer": "internal"})
