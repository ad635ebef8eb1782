"""One gateway knows all models of a stack: names, replicas, keys, and the longest request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from breakeven.manifests.gateway.limits import longest_answer
from breakeven.manifests.render import stack_components
from breakeven.manifests.serving.labels import answering_labels
from breakeven.settings.stack import Stack
from tests.recording import stack_of

GATEWAY: Mapping[str, object] = {"gateway.enabled": True, "gateway.teams": {"chat": {}}}


def manifests(stack: Stack, kind: str) -> dict[str, dict[str, Any]]:
    return {
        resource.name: dict(resource.manifest)
        for component in stack_components(stack)
        for resource in (*component.resources, *component.started_last)
        if resource.manifest["kind"] == kind
    }


def test_each_model_has_a_name_that_holds_its_replicas_and_no_others() -> None:
    stack = stack_of("two-models", **GATEWAY)
    services = manifests(stack, "Service")
    for model in stack.models:
        service = services[f"{model.name}-replicas"]
        assert service["spec"]["selector"] == answering_labels(model)
        assert service["spec"]["clusterIP"] == "None"
    deployments = manifests(stack, "Deployment")
    for model in stack.models:
        selector = services[f"{model.name}-replicas"]["spec"]["selector"]
        found = [
            name
            for name, one in deployments.items()
            if selector.items() <= one["spec"]["template"]["metadata"]["labels"].items()
        ]
        assert found == [model.name]


def test_the_gateway_waits_for_the_longest_request_of_any_model() -> None:
    for place in (0, 1):
        changed = {f"models[{place}].engine.longestRequestSeconds": 1234}
        first = stack_of("two-models", **GATEWAY, **changed).models[0]
        assert longest_answer(first, first.gateway) == 1234


def test_models_with_keys_of_their_own_are_asked_with_them() -> None:
    same = stack_of("two-models", **GATEWAY)
    other = stack_of("two-models", **GATEWAY, **{"models[1].engine.apiKeySecret": "code-key"})
    for stack, secrets in (
        (same, {"OWN_API_KEY": "vllm-api-key"}),
        (other, {"OWN_API_KEY": "vllm-api-key", "OWN_API_KEY_1": "code-key"}),
    ):
        [container] = manifests(stack, "Deployment")["gateway"]["spec"]["template"]["spec"][
            "containers"
        ]
        named = {one["name"]: one["valueFrom"]["secretKeyRef"]["name"] for one in container["env"]}
        assert named == secrets
        text = manifests(stack, "ConfigMap")["gateway"]["data"]["envoy.yaml"]
        used = {
            cluster["name"]: set(re.findall(r"%ENVIRONMENT\((\w+)\)%", yaml.dump(cluster)))
            for cluster in yaml.safe_load(text)["static_resources"]["clusters"]
        }
        assert used["inside"] == {"OWN_API_KEY"}
        assert used["inside-model-qwen3-14b"] == {[*secrets][-1]}


def test_alerts_of_the_one_gateway_are_there_once() -> None:
    rules = manifests(stack_of("two-models", **GATEWAY), "PrometheusRule")
    assert [name for name in rules if name.endswith("-gateway")] == ["model-gateway"]


HYBRID: Mapping[str, object] = {
    **GATEWAY,
    "gateway.mode": "hybrid",
    "models[1].api.inUse": "mistral/mistral-small-latest",
    "gateway.overflow.providers": {"mistral": {"keySecret": "second"}},
}


def test_each_provider_has_a_key_and_a_cluster_of_its_own() -> None:
    stack = stack_of("two-models", **HYBRID)
    [container] = manifests(stack, "Deployment")["gateway"]["spec"]["template"]["spec"][
        "containers"
    ]
    named = {one["name"]: one["valueFrom"]["secretKeyRef"]["name"] for one in container["env"]}
    assert named["OVERFLOW_API_KEY"] == "overflow-api"
    assert named["OVERFLOW_API_KEY_1"] == "second"
    text = manifests(stack, "ConfigMap")["gateway"]["data"]["envoy.yaml"]
    used = {
        cluster["name"]: set(re.findall(r"%ENVIRONMENT\((\w+)\)%", yaml.dump(cluster)))
        for cluster in yaml.safe_load(text)["static_resources"]["clusters"]
    }
    assert used["api"] == {"OVERFLOW_API_KEY"}
    assert used["api-mistral"] == {"OVERFLOW_API_KEY_1"}


def test_overflow_is_recorded_and_watched_for_each_model() -> None:
    stack = stack_of("two-models", **HYBRID)
    [group] = manifests(stack, "PrometheusRule")["model-gateway"]["spec"]["groups"]
    for kind, name in (
        ("record", "breakeven:overflow:ratio1d"),
        ("alert", "OverflowAbovePlan"),
    ):
        found = {
            rule["labels"]["model_name"]: rule["expr"]
            for rule in group["rules"]
            if rule.get(kind) == name
        }
        assert set(found) == {model.model.facts.name for model in stack.models}
        for model, expression in found.items():
            assert model in expression.replace("\\", "")


def test_a_model_wakes_by_requests_for_itself() -> None:
    stack = stack_of("two-models", **HYBRID, **{"models[1].replicas.min": 0})
    triggers = manifests(stack, "ScaledObject")["model-qwen3-14b"]["spec"]["triggers"]
    assert any('envoy_cluster_name="to-own-model-qwen3-14b"' in str(one) for one in triggers)
