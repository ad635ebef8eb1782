"""An inference gateway of the cluster: what is rendered for it, and what it cannot do."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from breakeven.errors import SettingsError
from breakeven.manifests.serving.labels import answering_labels
from tests.recording import register_stack, settings_of, stack_of

POOL: Mapping[str, object] = {
    "gateway.kind": "inference-pool",
    "gateway.inferencePool.endpointPicker": "picker",
    "gateway.route.gateway": "edge/inference",
    "network.clientNamespaces": ["edge", "llm"],
}


def test_a_route_leads_to_the_pool_of_the_replicas_and_no_gateway_is_rendered() -> None:
    stack = stack_of("gke", **POOL)
    registration = register_stack(stack)
    [pool], [route] = registration.of("InferencePool"), registration.of("HTTPRoute")
    assert pool.inputs["spec"]["selector"]["matchLabels"] == answering_labels(stack.models[0])
    assert pool.inputs["spec"]["targetPorts"] == [{"number": 8000}]
    picker = pool.inputs["spec"]["endpointPickerRef"]
    assert picker == {"name": "picker", "port": {"number": 9002}, "failureMode": "FailClose"}
    assert route.inputs["spec"]["parentRefs"] == [{"name": "inference", "namespace": "edge"}]
    [rule] = route.inputs["spec"]["rules"]
    [backend] = rule["backendRefs"]
    assert (backend["kind"], backend["name"]) == ("InferencePool", pool.name)
    assert [one.name for one in registration.of("Deployment")] == ["model"]


def test_other_stacks_have_neither() -> None:
    registration = register_stack(stack_of("hybrid"))
    assert not registration.of("InferencePool")
    assert not registration.of("HTTPRoute")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"gateway.mode": "hybrid"}, "gateway.mode: hybrid"),
        ({"gateway.enabled": True}, "gateway.enabled: true"),
        ({"gateway.teams": {"chat": {}}}, "knows no teams, keys and limits"),
        ({"gateway.tls.secret": "certificate"}, "leaves TLS to the Gateway"),
        ({"gateway.route.kind": "http-route"}, "gateway.route.kind: http-route"),
        ({"gateway.oidc.issuer": "https://login.example.com"}, "leaves tokens to the Gateway"),
        ({"network.tlsSecret": "certificate"}, "a pool's replicas are asked by HTTP"),
        ({"gateway.inferencePool.endpointPicker": ""}, "the endpoint picker's Service"),
        ({"gateway.route.gateway": ""}, "NAMESPACE/NAME of the Gateway"),
        ({"network.clientNamespaces": ["edge"]}, "network.clientNamespaces: without llm"),
        ({"network.clientNamespaces": ["llm"]}, "network.clientNamespaces: without edge"),
    ],
)
def test_what_it_cannot_do_is_refused(changed: Mapping[str, object], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        settings_of("gke", **{**POOL, **changed})


def test_a_picker_without_the_kind_has_no_effect() -> None:
    with pytest.raises(SettingsError, match="has no effect with gateway"):
        settings_of("gke", **{"gateway.inferencePool.endpointPicker": "picker"})


def test_several_models_need_a_stack_each() -> None:
    with pytest.raises(SettingsError, match="several models with gateway"):
        stack_of("two-models", **POOL)
