"""Requests from outside come to the gateway by TLS, by one name, and to its paths alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from breakeven.errors import SettingsError
from tests.recording import settings_of
from tests.unit.manifests.gateway.test_component import rendered

INGRESS: Mapping[str, object] = {
    "gateway.route.kind": "ingress",
    "gateway.hostname": "llm.example.internal",
    "gateway.tls.secret": "gateway-certificate",
}
HTTP_ROUTE: Mapping[str, object] = {
    "gateway.route.kind": "http-route",
    "gateway.hostname": "llm.example.internal",
    "gateway.route.gateway": "edge/web",
}


def test_an_ingress_has_the_gateways_certificate_for_its_one_name() -> None:
    [found] = rendered(**INGRESS).of("Ingress")
    spec = found.inputs["spec"]
    assert spec["tls"] == [{"hosts": ["llm.example.internal"], "secretName": "gateway-certificate"}]
    [rule] = spec["rules"]
    assert rule["host"] == "llm.example.internal"
    [path] = rule["http"]["paths"]
    assert path["path"] == "/v1"
    assert path["backend"]["service"] == {"name": "gateway", "port": {"number": 8000}}
    # The gateway refuses plain HTTP, so whoever stands before it must not speak it.
    annotations = found.inputs["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/backend-protocol"] == "HTTPS"


def test_a_route_hangs_below_the_gateway_that_ends_tls() -> None:
    [found] = rendered(**HTTP_ROUTE).of("HTTPRoute")
    spec = found.inputs["spec"]
    assert spec["parentRefs"] == [{"name": "web", "namespace": "edge"}]
    assert spec["hostnames"] == ["llm.example.internal"]
    [rule] = spec["rules"]
    assert rule["backendRefs"] == [{"name": "gateway", "port": 8000}]


def test_a_gateway_in_front_of_tls_checks_the_certificate_behind_it() -> None:
    found = rendered(
        **HTTP_ROUTE,
        **{"gateway.tls.secret": "certificate", "gateway.route.caConfigMap": "authority"},
    )
    [policy] = found.of("BackendTLSPolicy")
    spec = policy.inputs["spec"]
    assert spec["targetRefs"] == [{"group": "", "kind": "Service", "name": "gateway"}]
    assert spec["validation"] == {
        "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": "authority"}],
        "hostname": "gateway.llm.svc",
    }
    assert not rendered(**HTTP_ROUTE).of("BackendTLSPolicy")


def test_an_issuer_orders_the_certificates_of_both_sets_of_pods() -> None:
    tls = {"secret": "front", "issuer": "company", "egressSecret": "back"}
    found = rendered(**{f"gateway.tls.{key}": value for key, value in tls.items()})
    ordered = {
        one.inputs["spec"]["secretName"]: one.inputs["spec"]["dnsNames"]
        for one in found.of("Certificate")
    }
    assert set(ordered) == {"front", "back"}
    assert "gateway.llm.svc" in ordered["front"]
    assert "gateway-egress.llm.svc" in ordered["back"]


def test_without_a_route_there_is_none() -> None:
    registration = rendered()
    assert not registration.of("Ingress")
    assert not registration.of("HTTPRoute")


@pytest.mark.parametrize(
    ("settings", "changed", "key"),
    [
        (INGRESS, {"gateway.hostname": ""}, "gateway.hostname"),
        (INGRESS, {"gateway.tls.secret": ""}, "gateway.tls.secret"),
        (HTTP_ROUTE, {"gateway.tls.secret": "certificate"}, "gateway.route.caConfigMap"),
        (HTTP_ROUTE, {"gateway.route.caConfigMap": "authority"}, "gateway.route.caConfigMap"),
        (
            {"gateway.separateInside": False},
            {"gateway.tls.egressSecret": "back"},
            "gateway.tls.egressSecret",
        ),
        (HTTP_ROUTE, {"gateway.route.gateway": ""}, "gateway.route.gateway"),
        (HTTP_ROUTE, {"gateway.route.gateway": "web"}, "gateway.route.gateway"),
    ],
)
def test_what_would_let_plain_http_in_or_lead_nowhere_is_refused(
    settings: Mapping[str, object], changed: Mapping[str, object], key: str
) -> None:
    with pytest.raises(SettingsError, match=key.replace(".", r"\.")):
        settings_of("hybrid", **{**settings, **changed})
