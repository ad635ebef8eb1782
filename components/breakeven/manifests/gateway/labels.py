"""Names, labels and ports by which the parts of the gateway are found."""

from __future__ import annotations

from collections.abc import Mapping

GATEWAY = "gateway"
STORE = "gateway-store"
REPLICAS = "model-replicas"
"""Service without an address of its own: its name has the addresses of the ready replicas."""

GATEWAY_LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "litellm",
    "app.kubernetes.io/component": "gateway",
}
STORE_LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "valkey",
    "app.kubernetes.io/component": "gateway-store",
}

GATEWAY_PORT = 4000
GATEWAY_PORT_NAME = "http"
METRICS_PORT = 9464
METRICS_PORT_NAME = "metrics"
STORE_PORT = 6379
