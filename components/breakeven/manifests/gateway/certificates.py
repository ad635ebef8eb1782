"""TLS of the gateway: the certificate for clients, and checks of the engine and its own pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from breakeven.manifests.gateway.labels import (
    CERTIFICATE_FOLDER,
    EGRESS,
    EGRESS_CA_FOLDER,
    ENGINE_CA_FOLDER,
    FILES_FOLDER,
    GATEWAY,
    replicas_of,
)
from breakeven.manifests.gateway.typed import extension, message
from breakeven.manifests.resource import Resource
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

SDS = "certificate.yaml"
"""File that names the certificate. Envoy reads one that is named by its configuration itself only
when it starts; one that is named by a file, whenever the folder changes."""

_OLDEST = {"tls_minimum_protocol_version": "TLSv1_2"}
_SOCKET = "envoy.transport_sockets.tls"
_TYPES = "extensions.transport_sockets.tls.v3"


def served(secret: str | None) -> dict[str, Any]:
    """Returns the TLS part of a listener; empty without TLS.

    Args:
        secret: The Secret with its certificate.
    """
    if secret is None:
        return {}
    config = {"path_config_source": {"path": f"{FILES_FOLDER}/{SDS}"}, "resource_api_version": "V3"}
    socket = extension(
        _SOCKET,
        f"{_TYPES}.DownstreamTlsContext",
        common_tls_context={
            "tls_params": _OLDEST,
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_certificate_sds_secret_configs": [{"name": GATEWAY, "sds_config": config}],
        },
    )
    return {"transport_socket": socket}


def certificate_file() -> dict[str, Any]:
    """Returns the content of the file that names the certificate."""
    secret = message(
        f"{_TYPES}.Secret",
        name=GATEWAY,
        tls_certificate={
            "certificate_chain": {"filename": f"{CERTIFICATE_FOLDER}/tls.crt"},
            "private_key": {"filename": f"{CERTIFICATE_FOLDER}/tls.key"},
            "watched_directory": {"path": CERTIFICATE_FOLDER},
        },
    )
    return {"resources": [secret]}


def to_engine(settings: Settings, model: str) -> dict[str, Any]:
    """Returns the TLS part of the engine's cluster; empty without TLS.

    Health checks use it too.

    Args:
        settings: The stack's settings.
        model: Name of the model's objects.
    """
    if settings.network.tls_secret is None:
        return {}
    name = f"{replicas_of(model)}.{settings.network.namespace}.svc"
    return {
        "transport_socket": checked(name, [name], f"{ENGINE_CA_FOLDER}/ca.crt"),
    }


def to_egress(settings: Settings, gateway: GatewaySettings) -> dict[str, Any]:
    """Returns the TLS part of the cluster of the pods that call the API.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
    """
    if gateway.tls.egress_secret is None:
        return {}
    name = f"{EGRESS}.{settings.network.namespace}.svc"
    return {"transport_socket": checked(name, [name], f"{EGRESS_CA_FOLDER}/ca.crt")}


def checked(sni: str, names: list[str], ca: str) -> dict[str, Any]:
    """Returns TLS to a server whose certificate is checked.

    Args:
        sni: The requested server name.
        names: Names; the certificate must have one of them.
        ca: File of the trusted authorities.
    """
    return extension(
        _SOCKET,
        f"{_TYPES}.UpstreamTlsContext",
        sni=sni,
        common_tls_context={
            "validation_context": {
                "trusted_ca": {"filename": ca},
                "match_typed_subject_alt_names": [
                    {"san_type": "DNS", "matcher": {"exact": name}} for name in names
                ],
            }
        },
    )


def certificate(settings: Settings, gateway: GatewaySettings) -> Iterator[Resource]:
    """Yields cert-manager's Certificates, if it issues them.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
    """
    tls = gateway.tls
    if tls.issuer is None or tls.secret is None:
        return
    outside = [gateway.hostname] if gateway.hostname else []
    yield _order(GATEWAY, settings.network.namespace, tls.secret, tls.issuer, outside)
    if tls.egress_secret is not None:
        yield _order(EGRESS, settings.network.namespace, tls.egress_secret, tls.issuer, [])


def _order(name: str, namespace: str, secret: str, issuer: str, more: list[str]) -> Resource:
    host = f"{name}.{namespace}.svc"
    manifest = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "secretName": secret,
            "dnsNames": [*more, host, f"{host}.cluster.local"],
            "issuerRef": {"kind": "ClusterIssuer", "name": issuer},
            "usages": ["server auth", "digital signature", "key encipherment"],
            "privateKey": {"rotationPolicy": "Always"},
        },
    }
    return Resource(name=name, manifest=manifest)
