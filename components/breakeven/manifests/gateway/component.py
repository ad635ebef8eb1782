"""The gateway as a component."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from breakeven.manifests.gateway.configuration import envoy, programs
from breakeven.manifests.gateway.labels import (
    GATEWAY,
    GATEWAY_LABELS,
    GATEWAY_PORT_NAME,
    METRICS_PORT_NAME,
    REPLICAS,
)
from breakeven.manifests.gateway.pod import CONFIGURATION, gateway_pod
from breakeven.manifests.gateway.prices import TokenPrices
from breakeven.manifests.gateway.store import digest, store_resources
from breakeven.manifests.resource import Component, Resource, stated
from breakeven.manifests.serving.labels import (
    ENGINE_LABELS,
    ENGINE_PORT,
    ENGINE_PORT_NAME,
    described,
)
from breakeven.manifests.serving.service import address, service_annotations
from breakeven.manifests.templates import render_manifest
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings


class _Plain(yaml.SafeDumper):
    """Writes what is there twice twice: aliases are hard to read, and to compare."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # PyYAML's signature
        """Tells that no value is written as a reference."""
        return True


def gateway_component(
    name: str, settings: Settings, gateway: GatewaySettings, prices: TokenPrices
) -> Component:
    """Returns one address in front of the model: Envoy, and what counts for its limits.

    Args:
        name: Name in the program.
        settings: The stack's settings.
        gateway: Its gateway.
        prices: What a token costs, here and by API.
    """
    api = settings.overflow_api
    inputs = {
        "gatewayImage": gateway.image,
        "gatewayReplicas": gateway.replicas,
        "overflowModel": None if api is None else api.model,
        "teams": [*gateway.teams],
    }
    return Component(
        type="breakeven:gateway:Gateway",
        name=name,
        namespace=settings.network.namespace,
        inputs=stated(inputs),
        resources=tuple(_standing(settings, gateway)),
        started_last=gateway_pods(settings, gateway, prices),
        outputs={"serviceName": GATEWAY},
    )


def gateway_pods(
    settings: Settings, gateway: GatewaySettings, prices: TokenPrices
) -> tuple[Resource, ...]:
    """Returns configuration and pods, which need the prices of tokens; arguments as above."""
    files = {
        CONFIGURATION: yaml.dump(
            envoy(settings, gateway, prices), Dumper=_Plain, sort_keys=False, width=100
        ),
        **programs(),
    }
    config = Resource(
        name=GATEWAY,
        manifest={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": _metadata(settings),
            "data": files,
        },
    )
    spec = {
        "replicas": gateway.replicas,
        "selector": {"matchLabels": dict(GATEWAY_LABELS)},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        },
        "template": {
            "metadata": {
                "labels": described(GATEWAY_LABELS),
                # Envoy reads its files when it starts, so new ones need new pods.
                "annotations": {"breakeven/configuration": digest(files)},
            },
            "spec": gateway_pod(settings, gateway, files),
        },
    }
    deployment = Resource(
        name=GATEWAY,
        manifest={
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": _metadata(settings),
            "spec": spec,
        },
        depends_on=(config.key, f"ServiceAccount/{GATEWAY}"),
    )
    return config, deployment


def _standing(settings: Settings, gateway: GatewaySettings) -> Iterator[Resource]:
    """Yields everything that needs no price."""
    yield Resource(
        name=GATEWAY,
        manifest={
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": _metadata(settings),
            "automountServiceAccountToken": False,
        },
    )
    yield from _services(settings)
    yield _disruption_budget(settings)
    if settings.monitoring.enabled:
        yield _pod_monitor(settings)
    yield from store_resources(settings, gateway)


def _services(settings: Settings) -> Iterator[Resource]:
    # Pulumi waits for endpoints; these have none before the pods start, or while there is no
    # replica.
    later = {"pulumi.com/skipAwait": "true"}
    yield Resource(
        name=GATEWAY,
        manifest={
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": _metadata(settings, {**service_annotations(settings), **later}),
            "spec": address(
                settings,
                GATEWAY_LABELS,
                # The model's port: a client of mode self-host changes the name alone.
                port=ENGINE_PORT,
                port_name=GATEWAY_PORT_NAME,
            ),
        },
    )
    port = {"name": ENGINE_PORT_NAME, "port": ENGINE_PORT, "targetPort": ENGINE_PORT_NAME}
    yield Resource(
        name=REPLICAS,
        manifest={
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": REPLICAS,
                "namespace": settings.network.namespace,
                "labels": described(ENGINE_LABELS),
                "annotations": later,
            },
            "spec": {
                "type": "ClusterIP",
                "clusterIP": "None",
                "selector": dict(ENGINE_LABELS),
                "ports": [port],
            },
        },
    )


def _disruption_budget(settings: Settings) -> Resource:
    manifest = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(settings),
        "spec": {
            "selector": {"matchLabels": dict(GATEWAY_LABELS)},
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
    return Resource(name=GATEWAY, manifest=manifest)


def _pod_monitor(settings: Settings) -> Resource:
    manifest = render_manifest(
        "monitoring/pod-monitor.yaml.j2",
        {
            "name": GATEWAY,
            "labels": dict(GATEWAY_LABELS),
            "port_name": METRICS_PORT_NAME,
            "is_https": False,
        },
        namespace=settings.network.namespace,
    )
    return Resource(name=GATEWAY, manifest=manifest)


def _metadata(settings: Settings, annotations: Mapping[str, str] | None = None) -> dict[str, Any]:
    metadata = {
        "name": GATEWAY,
        "namespace": settings.network.namespace,
        "labels": described(GATEWAY_LABELS),
        "annotations": annotations or None,
    }
    return stated(metadata)
