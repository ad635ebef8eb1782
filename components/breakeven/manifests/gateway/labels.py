"""Names, labels and ports by which the parts of the gateway are found."""

from __future__ import annotations

from collections.abc import Mapping

GATEWAY = "gateway"
STORE = "gateway-store"
REPLICAS = "model-replicas"
"""Service without an address of its own: its name has the addresses of the ready replicas."""

GATEWAY_LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "envoy",
    "app.kubernetes.io/component": "gateway",
}
STORE_LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "ratelimit",
    "app.kubernetes.io/component": "gateway-store",
}

GATEWAY_PORT = 8000
GATEWAY_PORT_NAME = "http"
METRICS_PORT = 9464
METRICS_PORT_NAME = "metrics"

# On loopback: Envoy's own pages, and the two listeners behind the one of the clients.
ADMIN_PORT = 9901
OWN_PORT = 8001
API_PORT = 8002

TO_OWN = "to-own"
"""Envoy's cluster of the listener before the own replicas; its counter wakes the first one."""

LIMITS_PORT = 8081
LIMITS_HEALTH_PORT = 8080
VALKEY_PORT = 6379
"""On loopback of the store's pod."""

FILES_FOLDER = "/etc/gateway"
KEYS_FOLDER = "/etc/gateway-keys"
