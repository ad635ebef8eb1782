"""The address of the model: inside the cluster, or by a load balancer of the private network."""

from __future__ import annotations

from collections.abc import Mapping

from pulumi_kubernetes.core.v1 import ServicePortArgs, ServiceSpecArgs

from breakeven.catalog.clouds import find_cloud
from breakeven.settings.stack import Settings


def service_annotations(settings: Settings) -> dict[str, str]:
    """Returns what keeps the cloud's load balancer private; nothing where there is none."""
    if not settings.network.has_load_balancer:
        return {}
    return dict(find_cloud(settings.pricing.cloud).private_balancer or {})


def address(
    settings: Settings, pods: Mapping[str, str], *, port: int, port_name: str
) -> ServiceSpecArgs:
    """Returns the specification of the Service that clients call, as `exposure` says.

    Args:
        settings: The stack's settings.
        pods: Labels of the pods behind it.
        port: Its port.
        port_name: Name of the pods' port.
    """
    if not settings.network.has_load_balancer:
        return inner_address(pods, port=port, port_name=port_name)
    return ServiceSpecArgs(
        type="LoadBalancer",
        selector=dict(pods),
        ports=[_port(port, port_name)],
        load_balancer_source_ranges=list(settings.network.client_networks),
        # Keeps the client's address, which the network rules ask for.
        external_traffic_policy="Local",
    )


def inner_address(pods: Mapping[str, str], *, port: int, port_name: str) -> ServiceSpecArgs:
    """Returns the specification of a Service inside the cluster, with arguments as `address`."""
    return ServiceSpecArgs(type="ClusterIP", selector=dict(pods), ports=[_port(port, port_name)])


def _port(port: int, name: str) -> ServicePortArgs:
    return ServicePortArgs(name=name, port=port, target_port=name, app_protocol="http")
