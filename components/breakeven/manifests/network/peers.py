"""Who may talk to whom: the parts of network rules."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from breakeven.manifests.gateway.labels import GATEWAY_LABELS
from breakeven.settings.stack import Stack

# Networks that are not part of the internet (IANA's special-purpose registries): private ones, the
# machines' metadata service (169.254.0.0/16, fd00:ec2::254), loopback, multicast and reserved ones;
# Azure's platform address; and of IPv6 those that stand for an IPv4 address (NAT64, 6to4), by which
# any of the above could be reached.
NOT_PUBLIC_4 = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
)
NOT_PUBLIC_6 = (
    "::/127",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
)


def in_namespace(name: str) -> dict[str, Any]:
    """Returns all pods of a namespace, by the label that Kubernetes itself sets."""
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def callers(stack: Stack) -> list[dict[str, Any]]:
    """Returns who may reach the engine's port: clients or the gateway, and who reads its metrics.

    The key is asked for by the engine itself (manifests/serving/guard.py); a network rule holds
    even where that fails, so the port is open to those who are named and to nobody else.
    """
    peers = [pods(GATEWAY_LABELS)] if stack.gateway.is_on else clients(stack)
    if stack.watched:
        peers.append(in_namespace(stack.monitoring.namespace))
    return peers


def clients(stack: Stack) -> list[dict[str, Any]]:
    """Returns who may call the address that the stack offers."""
    peers = [in_namespace(name) for name in stack.network.client_namespaces]
    if stack.network.has_load_balancer:
        peers += [{"ipBlock": {"cidr": network}} for network in stack.network.client_networks]
    return peers


def pods(labels: Mapping[str, str]) -> dict[str, Any]:
    """Returns pods of the stack's own namespace, by their labels."""
    return {"podSelector": {"matchLabels": dict(labels)}}


def name_lookups(stack: Stack) -> dict[str, Any]:
    """Allows queries to the cluster's DNS pods, but not to the rest of their namespace.

    Where nodes run a DNS cache of their own, pods ask that: it is in the node's network, so that
    only its address names it.
    """
    peers: list[dict[str, Any]] = [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ]
    if stack.network.node_local_dns_address:
        cache = {"cidr": f"{stack.network.node_local_dns_address}/32"}
        peers.append({"ipBlock": cache})
    return {
        "to": peers,
        "ports": [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")],
    }


def collector(stack: Stack) -> list[dict[str, Any]]:
    """Allows the engine to send traces to the collector, if the stack has one."""
    tracing = stack.monitoring.tracing_endpoint
    if tracing is None:
        return []
    ports = [{"port": tracing.port, "protocol": "TCP"}]
    if tracing.namespace is None:
        bits = ipaddress.ip_address(tracing.host).max_prefixlen
        block = {"cidr": f"{tracing.host}/{bits}"}
        return [{"to": [{"ipBlock": block}], "ports": ports}]
    return [
        name_lookups(stack),
        {"to": [in_namespace(tracing.namespace)], "ports": ports},
    ]


def public_https() -> dict[str, Any]:
    """Allows HTTPS to the internet, but not to private addresses."""
    return {
        "to": [
            {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(NOT_PUBLIC_4)}},
            {"ipBlock": {"cidr": "::/0", "except": list(NOT_PUBLIC_6)}},
        ],
        "ports": [{"port": 443, "protocol": "TCP"}],
    }
