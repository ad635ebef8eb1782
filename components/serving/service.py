"""The address of the model: inside the cluster, or by a load balancer of the private network."""

from __future__ import annotations

from collections.abc import Mapping

from pulumi_kubernetes.core.v1 import ServicePortArgs, ServiceSpecArgs

from components.serving.labels import ENGINE_LABELS, ENGINE_PORT, ENGINE_PORT_NAME
from components.settings_types import Settings

INTERNAL = "internal-load-balancer"

_ANNOTATIONS: Mapping[str, Mapping[str, str]] = {
    "aws": {
        # Made by the AWS Load Balancer Controller; without it none is made, rather than a public
        # one. Targets are nodes: their health checks come to the node and not to the pod, whose
        # network rules know the clients' addresses only.
        "service.beta.kubernetes.io/aws-load-balancer-type": "external",
        "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "instance",
        "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    },
    "azure": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"},
    "gcp": {"networking.gke.io/load-balancer-type": "Internal"},
    # In a data centre of one's own the load balancer's address pool decides what is internal.
    "none": {},
}


def service_annotations(settings: Settings) -> dict[str, str]:
    """Returns what keeps the cloud's load balancer private; nothing where there is none."""
    if settings.network.exposure != INTERNAL:
        return {}
    return dict(_ANNOTATIONS[settings.prices.cloud])


def service_spec(settings: Settings) -> ServiceSpecArgs:
    """Returns the Service's specification."""
    port = ServicePortArgs(
        name=ENGINE_PORT_NAME, port=ENGINE_PORT, target_port=ENGINE_PORT_NAME, app_protocol="http"
    )
    if settings.network.exposure != INTERNAL:
        return ServiceSpecArgs(type="ClusterIP", selector=dict(ENGINE_LABELS), ports=[port])
    return ServiceSpecArgs(
        type="LoadBalancer",
        selector=dict(ENGINE_LABELS),
        ports=[port],
        load_balancer_source_ranges=list(settings.network.client_networks),
        # Keeps the client's address, which the network rules ask for.
        external_traffic_policy="Local",
    )
