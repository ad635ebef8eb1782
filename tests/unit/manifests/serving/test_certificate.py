"""The engine serves HTTPS where the stack names a certificate, and everything asks it that way."""

from __future__ import annotations

from typing import Any

from breakeven.manifests.render import stack_components
from tests.recording import stack_of


def resources(name: str, **changes: object) -> dict[str, dict[str, Any]]:
    components = stack_components(stack_of(name, **changes))
    return {
        f"{resource.manifest['kind']}/{resource.name}": dict(resource.manifest)
        for component in components
        for resource in component.resources
    }


def test_engine_probes_service_and_monitor_agree_on_https() -> None:
    found = resources("aws-prod")
    [deployment] = [each for key, each in found.items() if key.startswith("Deployment/")]
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert "--ssl-certfile=/certificate/tls.crt" in container["args"]
    assert "--ssl-keyfile=/certificate/tls.key" in container["args"]
    probes = [container[f"{each}Probe"]["httpGet"] for each in ("startup", "readiness", "liveness")]
    assert all(probe["scheme"] == "HTTPS" for probe in probes)
    assert {"name": "certificate", "mountPath": "/certificate", "readOnly": True} in container[
        "volumeMounts"
    ]
    [secret] = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
    assert secret["secretName"] == "model-certificate"
    services = [each for key, each in found.items() if key.startswith("Service/")]
    assert {port["appProtocol"] for each in services for port in each["spec"]["ports"]} == {"https"}
    [monitor] = [each for key, each in found.items() if key.startswith("PodMonitor/")]
    assert monitor["spec"]["podMetricsEndpoints"][0]["scheme"] == "https"


def test_without_a_certificate_nothing_mentions_one() -> None:
    text = str(resources("dev"))
    assert "ssl-" not in text
    assert "certificate" not in text


def test_behind_a_gateway_the_certificate_is_between_it_and_the_engine() -> None:
    found = resources("hybrid", **{"network.tlsSecret": "certificate"})
    services = {
        key: [port["appProtocol"] for port in each["spec"]["ports"] if "appProtocol" in port]
        for key, each in found.items()
        if key.startswith("Service/")
    }
    assert services.pop("Service/gateway") == ["http"]
    assert [kinds for kinds in services.values() if kinds] == [["https"]]
