"""Names, labels and ports by which the parts of the gateway are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GATEWAY = "gateway"
EGRESS = "gateway-egress"
STORE = "gateway-store"


def replicas_of(name: str) -> str:
    """Returns the Service whose name has the addresses of a model's ready replicas.

    Args:
        name: Of the model's objects.
    """
    return f"{name}-replicas"


GATEWAY_LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "envoy",
    "app.kubernetes.io/component": "gateway",
}
EGRESS_LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "envoy",
    "app.kubernetes.io/component": "gateway-egress",
}
STORE_LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "ratelimit",
    "app.kubernetes.io/component": "gateway-store",
}

GATEWAY_PORT = 8000
GATEWAY_PORT_NAME = "http"
METRICS_PORT = 9464
METRICS_PORT_NAME = "metrics"

# On loopback: Envoy's own pages, and the listeners behind the one of the clients.
ADMIN_PORT = 9901
OWN_PORT = 8001
API_PORT = 8002
CANDIDATE_PORT = 8003

TO_OWN = "to-own"
"""Envoy's cluster of the listener before the own replicas; its counter wakes the first one."""

TO_CANDIDATE = "to-candidate"
"""Envoy's cluster of the listener before the replicas of a candidate."""

LIMITS_PORT = 8081
LIMITS_HEALTH_PORT = 8080
VALKEY_PORT = 6379
"""On loopback of the store's pod."""

FILES_FOLDER = "/etc/gateway"
CERTIFICATE_FOLDER = "/etc/gateway-tls"
ENGINE_CA_FOLDER = "/etc/engine-ca"
JWKS_FOLDER = "/etc/gateway-jwks"
KEYS_FOLDER = "/etc/gateway-keys"


@dataclass(frozen=True, slots=True)
class PodSet:
    """Pods of one configuration, under one name.

    Attributes:
        name: Of all their objects.
        labels: By which they are found.
    """

    name: str
    labels: Mapping[str, str]


FRONT = PodSet(GATEWAY, GATEWAY_LABELS)
"""What clients call."""
WAY_OUT = PodSet(EGRESS, EGRESS_LABELS)
"""What calls the API, where the pods that clients call have no way out."""
