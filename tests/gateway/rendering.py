"""The gateway's rendered resources, moved to this machine: addresses, ports and paths change.

Whatever else the programs read is what the stack deploys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from breakeven.manifests.gateway.component import gateway_component
from breakeven.manifests.gateway.figures import GatewayFigures
from breakeven.settings.stack import Settings
from tests.recording import Registration, resources_of

CONFIGURATION = "/etc/gateway/"
KEYS = "/etc/gateway-keys"
EGRESS = "gateway-egress"
CERTIFICATE, ENGINE_CA, JWKS = "/etc/gateway-tls", "/etc/engine-ca", "/etc/gateway-jwks"
EGRESS_CA = "/etc/egress-ca"
SYSTEM_CA = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Rendered:
    """What one stack's gateway consists of."""

    settings: Settings
    registration: Registration

    @classmethod
    def of(cls, settings: Settings, prices: GatewayFigures) -> Rendered:
        """Renders it."""
        component = gateway_component("gateway", settings, settings.gateway, prices)
        return cls(settings, resources_of(component))

    def data(self, name: str) -> Mapping[str, str]:
        """The files of a ConfigMap."""
        [found] = [one for one in self.registration.of("ConfigMap") if one.name == name]
        return dict(found.inputs["data"])

    def pod(self, deployment: str) -> Any:
        """The pod of a Deployment."""
        [found] = [one for one in self.registration.of("Deployment") if one.name == deployment]
        return found.pod

    def container(self, deployment: str, name: str) -> Any:
        """A container of a Deployment, sidecars too."""
        pod = self.pod(deployment)
        containers = [*pod["containers"], *pod.get("initContainers", ())]
        [one] = [each for each in containers if each["name"] == name]
        return one

    def parameters(self) -> set[str]:
        """The parameters of requests that are taken."""
        found = _named(self.bootstrap, "parameters")
        assert found is not None
        return set(found)

    @cached_property
    def bootstrap(self) -> Any:
        """Envoy's configuration as it is deployed."""
        return yaml.safe_load(self.data("gateway")["envoy.yaml"])

    @cached_property
    def egress(self) -> Any:
        """The configuration of the pods that call the API; None where those are the same."""
        is_there = any(one.name == EGRESS for one in self.registration.of("ConfigMap"))
        return yaml.safe_load(self.data(EGRESS)["envoy.yaml"]) if is_there else None

    def names(self, cluster: str, bootstrap: Any = None) -> list[str]:
        """The host names of a cluster of Envoy's; none where there is no such cluster."""
        return [
            one["address"].rstrip(".")
            for found in (bootstrap or self.bootstrap)["static_resources"]["clusters"]
            if found["name"] == cluster
            for one in addresses(found["load_assignment"])
        ]


def addresses(tree: Any) -> Iterator[dict[str, Any]]:
    """Every socket address in a piece of configuration."""
    if isinstance(tree, dict):
        if set(tree) >= {"address", "port_value"}:
            yield tree
        for value in tree.values():
            yield from addresses(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from addresses(value)


def moved(
    bootstrap: Any,
    *,
    listening: Mapping[int, int],
    called: Mapping[str, int],
    name_server: int,
) -> Any:
    """Envoy's configuration for this machine.

    Args:
        bootstrap: As it is deployed; it is changed.
        listening: The ports of the pod, and which they are here.
        called: The port of every cluster of other programs, by the cluster's name.
        name_server: The port of the name server.
    """
    resources = bootstrap["static_resources"]
    for place in (*resources["listeners"], bootstrap["admin"]):
        for one in addresses(place.get("address", {})):
            one["address"] = "127.0.0.1"
            one["port_value"] = listening[one["port_value"]]
    for cluster in resources["clusters"]:
        for one in addresses(cluster.get("load_assignment", {})):
            port = called.get(cluster["name"]) or listening[one["port_value"]]
            one["port_value"] = port
    bootstrap["typed_dns_resolver_config"] = {
        "name": "envoy.network.dns_resolver.cares",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3"
            ".CaresDnsResolverConfig",
            "resolvers": [{"socket_address": {"address": "127.0.0.1", "port_value": name_server}}],
            "dns_resolver_options": {"no_default_search_domain": True},
        },
    }
    return bootstrap


def written(text: str, folder: Path) -> str:
    """A text in which the pod's paths are those of a folder."""
    return (
        text.replace(KEYS, str(folder / "keys"))
        .replace(CERTIFICATE, str(folder / "certificate"))
        .replace(JWKS, str(folder / "jwks"))
        .replace(ENGINE_CA, str(folder / "engine-ca"))
        .replace(EGRESS_CA, str(folder / "egress-ca"))
        .replace(CONFIGURATION, f"{folder}/configuration/")
        .replace(SYSTEM_CA, str(folder / "ca.pem"))
    )


def _named(tree: Any, name: str) -> Any:
    """The first value of a name in a piece of configuration."""
    if isinstance(tree, dict):
        if name in tree:
            return tree[name]
        tree = list(tree.values())
    if isinstance(tree, list):
        for value in tree:
            if (found := _named(value, name)) is not None:
                return found
    return None
