"""The address of the model: inside the cluster, or at a load balancer of the private network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from breakeven.catalog.clouds import find_cloud
from breakeven.settings.stack import Settings


def service_annotations(settings: Settings) -> dict[str, str]:
    """Returns the annotations that keep a cloud's load balancer private; empty without one."""
    if not settings.network.has_load_balancer:
        return {}
    return dict(find_cloud(settings.pricing.cloud).private_balancer or {})


def address(
    settings: Settings,
    pods: Mapping[str, str],
    *,
    port: int,
    port_name: str,
    scheme: str | None = None,
) -> dict[str, Any]:
    """Returns the specification of the Service that clients call, by `exposure`.

    Args:
        settings: The stack's settings.
        pods: Labels of the pods behind it.
        port: Its port.
        port_name: Name of the pods' port.
        scheme: Protocol of the pods; None for the engine's.
    """
    if not settings.network.has_load_balancer:
        return inner_address(settings, pods, port=port, port_name=port_name, scheme=scheme)
    return {
        "type": "LoadBalancer",
        "selector": dict(pods),
        "ports": [_port(scheme or settings.network.scheme, port, port_name)],
        "loadBalancerSourceRanges": list(settings.network.client_networks),
        # Keeps the client's address, which the network rules ask for.
        "externalTrafficPolicy": "Local",
    }


def inner_address(
    settings: Settings,
    pods: Mapping[str, str],
    *,
    port: int,
    port_name: str,
    scheme: str | None = None,
) -> dict[str, Any]:
    """Returns the specification of a Service inside the cluster, with arguments as `address`."""
    return {
        "type": "ClusterIP",
        "selector": dict(pods),
        "ports": [_port(scheme or settings.network.scheme, port, port_name)],
    }


def _port(scheme: str, port: int, name: str) -> dict[str, Any]:
    return {"name": name, "port": port, "targetPort": name, "appProtocol": scheme}
