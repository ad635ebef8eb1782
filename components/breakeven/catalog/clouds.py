"""Clouds with priced machines, and their differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """A cloud, or "none" for the user's own data center.

    Attributes:
        name: Value of the setting `cloud`, and part of the identifiers of its prices.
        provider: Name in FOCUS exports (ProviderName); empty if none is known.
        control_plane: Its managed Kubernetes control plane; empty if none is priced.
        private_balancer: Annotations of a Service that keep its load balancer in the private
            network; None if no such annotation is known.
        balancer_prices: Identifiers of a load balancer's monthly price and of its price for
            traffic; empty if the price list has none.
        nat_machines: Machines that share one price of a NAT gateway, where it is charged by
            machine; None if a gateway has one price.
        zone_traffic_ends: At how many ends text between two zones of a region is charged; 0 where
            it is free, or not known to be charged.
        first_region: Region that `init` suggests; empty if `init` does not offer this cloud.
        shared_storage_class: Storage class that `init` suggests for weights that several nodes
            read.
        system_machine: Machine type that `init` suggests for system pods.
    """

    name: str
    provider: str = ""
    control_plane: str = ""
    private_balancer: Mapping[str, str] | None = None
    balancer_prices: tuple[str, str] | None = None
    nat_machines: int | None = None
    zone_traffic_ends: int = 0
    first_region: str = ""
    shared_storage_class: str = ""
    system_machine: str = ""


_ALL = (
    Cloud(
        name="aws",
        provider="AWS",
        control_plane="eks",
        # Made by the AWS Load Balancer Controller. Without it no load balancer is made, instead of
        # a public one. Targets are nodes: health checks reach the node and not the pod, whose
        # network rules know the clients' addresses only.
        private_balancer=MappingProxyType(
            {
                "service.beta.kubernetes.io/aws-load-balancer-type": "external",
                "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "instance",
                "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
            }
        ),
        balancer_prices=("load-balancer/aws/nlb", "load-balancer/aws/nlb-lcu"),
        zone_traffic_ends=2,
        first_region="us-east-1",
        shared_storage_class="efs",
        system_machine="m6i.large",
    ),
    Cloud(
        name="azure",
        provider="Microsoft",
        control_plane="aks",
        private_balancer=MappingProxyType(
            {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
        ),
        balancer_prices=("load-balancer/azure/standard", "load-balancer/azure/gb"),
        first_region="eastus",
        shared_storage_class="azurefile-premium",
        system_machine="Standard_D4s_v5",
    ),
    Cloud(
        name="gcp",
        provider="Google Cloud",
        control_plane="gke",
        private_balancer=MappingProxyType({"networking.gke.io/load-balancer-type": "Internal"}),
        balancer_prices=("load-balancer/gcp/forwarding-rule", "load-balancer/gcp/gb"),
        # 0.0014 USD an hour for each machine up to 32, 0.0448 for more: 32 of them.
        nat_machines=32,
        zone_traffic_ends=1,
        first_region="us-central1",
        shared_storage_class="standard-rwx",
        system_machine="n2-standard-4",
    ),
    Cloud(name="lambda"),
    Cloud(name="nebius"),
    Cloud(name="runpod"),
    Cloud(name="crusoe"),
    Cloud(name="coreweave"),
    Cloud(name="oci"),
    Cloud(name="together"),
    Cloud(name="hyperstack"),
    Cloud(name="digitalocean"),
    Cloud(name="jarvislabs"),
    Cloud(name="verda"),
    Cloud(name="akash"),
    Cloud(name="vast"),
    # In the user's own data center the load balancer's address pool decides what is private.
    Cloud(name="none", private_balancer=MappingProxyType({})),
)

CLOUDS: Mapping[str, Cloud] = MappingProxyType({cloud.name: cloud for cloud in _ALL})
"""All clouds by name."""

CONTROL_PLANES = (*(cloud.control_plane for cloud in _ALL if cloud.control_plane), "none")
"""Kubernetes control planes that are priced; "none" where others pay, or nothing is charged."""


def find_cloud(name: str) -> Cloud:
    """Returns what is known about a cloud; of one that is not listed, its name alone.

    Args:
        name: Such as "aws".
    """
    return CLOUDS.get(name, Cloud(name=name))


def private_balancer_clouds() -> tuple[str, ...]:
    """Names of the clouds whose load balancer is known to stay private."""
    return tuple(cloud.name for cloud in _ALL if cloud.private_balancer is not None)
