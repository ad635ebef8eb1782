"""What brings requests from outside the cluster to the gateway: an Ingress or an HTTPRoute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from breakeven.manifests.gateway.labels import FRONT, GATEWAY, GATEWAY_PORT
from breakeven.manifests.gateway.limits import longest_answer
from breakeven.manifests.gateway.pods import metadata_of
from breakeven.manifests.resource import Resource, stated
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

_PREFIX = "/v1"


def entry(settings: Settings, gateway: GatewaySettings) -> Iterator[Resource]:
    """Yields it, if the stack has one.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
    """
    if gateway.route.kind == "ingress":
        yield _ingress(settings, gateway)
    if gateway.route.kind == "http-route":
        yield _http_route(settings, gateway)
        if gateway.route.ca_config_map is not None:
            yield _backend_tls(settings, gateway.route.ca_config_map)


def _ingress(settings: Settings, gateway: GatewaySettings) -> Resource:
    host = gateway.hostname
    service = {"name": GATEWAY, "port": {"number": GATEWAY_PORT}}
    path = {"path": _PREFIX, "pathType": "Prefix", "backend": {"service": service}}
    nginx = {
        # The gateway speaks TLS itself, and answers may take their time and come in parts.
        "backend-protocol": "HTTPS",
        # Stated, because the controller's own settings may turn the redirect off for all.
        "ssl-redirect": "true",
        "proxy-buffering": "off",
        "proxy-body-size": f"{gateway.max_body_megabytes}m",
        "proxy-read-timeout": str(longest_answer(settings, gateway)),
    }
    annotations = {f"nginx.ingress.kubernetes.io/{name}": value for name, value in nginx.items()}
    manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata_of(FRONT, settings, annotations | _LATER),
        "spec": stated(
            {
                "ingressClassName": gateway.route.ingress_class,
                "tls": [{"hosts": [host], "secretName": gateway.tls.secret}],
                "rules": [{"host": host, "http": {"paths": [path]}}],
            }
        ),
    }
    return Resource(name=GATEWAY, manifest=manifest)


def _http_route(settings: Settings, gateway: GatewaySettings) -> Resource:
    namespace, _, name = gateway.route.gateway.partition("/")
    rule: dict[str, Any] = {
        "matches": [{"path": {"type": "PathPrefix", "value": _PREFIX}}],
        "backendRefs": [{"name": GATEWAY, "port": GATEWAY_PORT}],
        # The gateway itself ends requests that take too long.
        "timeouts": {"request": f"{longest_answer(settings, gateway)}s"},
    }
    manifest = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata_of(FRONT, settings),
        "spec": {
            "parentRefs": [{"name": name, "namespace": namespace}],
            "hostnames": [gateway.hostname],
            "rules": [rule],
        },
    }
    return Resource(name=GATEWAY, manifest=manifest)


def _backend_tls(settings: Settings, authority: str) -> Resource:
    """Lets the Gateway connect by TLS and check the certificate."""
    manifest = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "BackendTLSPolicy",
        "metadata": metadata_of(FRONT, settings),
        "spec": {
            "targetRefs": [{"group": "", "kind": "Service", "name": GATEWAY}],
            "validation": {
                "caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": authority}],
                "hostname": f"{GATEWAY}.{settings.network.namespace}.svc",
            },
        },
    }
    return Resource(name=GATEWAY, manifest=manifest)


# Pulumi waits until an Ingress has an address, which some controllers never write.
_LATER = {"pulumi.com/skipAwait": "true"}
