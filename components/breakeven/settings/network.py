"""Who may call the model, what may leave, and where images come from."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from breakeven.addresses import is_inside
from breakeven.settings.fields import (
    HOST_ALLOWED,
    REGISTRY_HOST,
    Boolean,
    Conflict,
    Form,
    Group,
    KubernetesName,
    List,
    OptionalObjectName,
    matching,
    refuse,
)

IN_CLUSTER, INTERNAL_LOAD_BALANCER = "cluster", "internal-load-balancer"
"""Values of `exposure`."""
NETWORKS = ("connected", "air-gapped")
"""Values of `boundary`."""


def _private_network(text: str) -> str:
    if re.fullmatch(r"[0-9a-f.:]+/\d+", text, re.ASCII) is None:
        raise ValueError(text)
    try:
        is_private = is_inside(ipaddress.ip_network(text))
    except ValueError:
        is_private = False
    if not is_private:
        refuse(
            f'found "{text}"',
            "Allowed: private networks, host bits 0; the model's port has paths that do not "
            "require a key, so it is never exposed to the internet",
        )
    return text


def _link_local(text: str) -> str:
    if not text.startswith("169.254."):
        raise ValueError(text)
    return str(ipaddress.IPv4Address(text))


class NetworkSettings(Group):
    """Who may call the model, what may leave, and where images come from.

    `registry` is empty where each image comes from where it is named.
    """

    boundary: Literal["connected", "air-gapped"] = Field(
        default="connected",
        description="connected or air-gapped (nothing leaves: images from network.registry, "
        "existing weights, no egress)",
    )
    registry: Annotated[
        str,
        matching(
            rf"{REGISTRY_HOST}(/[a-z0-9][a-z0-9._-]*)*",
            "HOST, HOST:PORT or HOST/PATH of a registry, such as "
            f"registry.hospital.internal:5000/mirror; {HOST_ALLOWED}",
            empty="",
        ),
    ] = Field(
        default="",
        description="Private registry, HOST or HOST/PATH, from which all images are pulled; empty "
        "to pull each from its own registry",
    )
    namespace: KubernetesName = Field(default="llm", description="Namespace that the stack creates")
    client_namespaces: Annotated[tuple[KubernetesName, ...], List] = Field(
        default=(),
        description="Namespaces whose pods may call the model; no other pods in the cluster can",
    )
    exposure: Literal["cluster", "internal-load-balancer"] = Field(
        default="cluster",
        description="cluster (ClusterIP) or internal-load-balancer",
    )
    tls_secret: OptionalObjectName = Field(
        default=None,
        description="Secret of type kubernetes.io/tls with the engine's certificate, so that "
        "clients use HTTPS; empty for plain HTTP. With a gateway it is the gateway that calls, "
        "and checks the name model-replicas.NAMESPACE.svc by the Secret's ca.crt",
    )
    client_networks: Annotated[
        tuple[Annotated[str, Form(_private_network, allowed="networks such as 10.0.0.0/8")], ...],
        List,
    ] = Field(
        default=(),
        description="Exposure internal-load-balancer: private networks (CIDR) that may call",
    )
    node_local_dns_address: Annotated[
        str,
        Form(_link_local, allowed="a link-local address such as 169.254.20.10", empty=""),
    ] = Field(
        default="",
        description="Address of the DNS cache on each node (NodeLocal DNSCache, usually "
        "169.254.20.10); empty if there is none",
    )
    data_may_leave: Boolean = Field(
        default=True,
        description="false if prompts must stay inside; then APIs are shown only for comparison",
    )

    @property
    def has_load_balancer(self) -> bool:
        """Whether a load balancer of the private network carries requests into the cluster."""
        return self.exposure == INTERNAL_LOAD_BALANCER

    @property
    def scheme(self) -> str:
        """By which the engine is asked: "http" or "https"."""
        return "http" if self.tls_secret is None else "https"

    @property
    def is_air_gapped(self) -> bool:
        """Whether nothing may leave."""
        return self.boundary == "air-gapped"

    def image(self, name: str) -> str:
        """Returns an image's name in the private registry; the name itself where there is none.

        Only the host changes: path, tag and digest stay, so the image stays the same one.
        """
        return f"{self.registry}/{name.partition('/')[2]}" if self.registry else name

    def conflicts(self) -> Iterator[Conflict]:
        """Yields clients that exposure does not go with."""
        if self.has_load_balancer and not self.client_networks:
            yield Conflict(
                "network.clientNetworks",
                "empty",
                f"Needed with network.exposure {self.exposure}",
                ("network.exposure",),
            )
        # In an air gap the check of that says what to do in place of a load balancer.
        if self.client_networks and not self.has_load_balancer and not self.is_air_gapped:
            yield Conflict(
                "network.clientNetworks",
                f"has no effect with network.exposure {self.exposure}",
                "Allowed with network.exposure internal-load-balancer; for clients in the "
                "cluster, use network.clientNamespaces",
                ("network.exposure",),
            )
