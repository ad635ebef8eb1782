"""The gateway as a component."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from breakeven.manifests.gateway.certificates import SDS, certificate, certificate_file
from breakeven.manifests.gateway.configuration import egress, envoy, programs
from breakeven.manifests.gateway.entry import entry
from breakeven.manifests.gateway.figures import GatewayFigures
from breakeven.manifests.gateway.labels import (
    API_PORT,
    FRONT,
    GATEWAY,
    GATEWAY_LABELS,
    GATEWAY_PORT_NAME,
    WAY_OUT,
    PodSet,
    replicas_of,
    trials_of,
)
from breakeven.manifests.gateway.pods import metadata_of, running, standing
from breakeven.manifests.gateway.store import store_resources
from breakeven.manifests.resource import Component, Resource, stated
from breakeven.manifests.serving.labels import (
    ENGINE_LABELS,
    ENGINE_PORT,
    ENGINE_PORT_NAME,
    MODEL,
    answering_labels,
)
from breakeven.manifests.serving.service import address, service_annotations
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

# Pulumi waits for endpoints; these have none before the pods start, or while there is no replica.
_LATER = {"pulumi.com/skipAwait": "true"}


def gateway_component(
    name: str, settings: Settings, gateway: GatewaySettings, figures: GatewayFigures
) -> Component:
    """Returns one address in front of the model: Envoy, and the counters of its limits.

    Args:
        name: Name in the program.
        settings: The stack's settings.
        gateway: Its gateway.
        figures: The cost of a token, here and at the API, and the pods that the load needs.
    """
    apis = dict.fromkeys(api.model for api in settings.overflow_apis.values())
    inputs = {
        "gatewayImage": gateway.image,
        "gatewayReplicas": gateway.replicas,
        "overflowModel": ", ".join(apis) or None,
        "teams": [*gateway.teams],
    }
    return Component(
        type="breakeven:gateway:Gateway",
        name=name,
        namespace=settings.network.namespace,
        inputs=stated(inputs),
        resources=tuple(_standing(settings, gateway)),
        started_last=gateway_pods(settings, gateway, figures),
        outputs={"serviceName": GATEWAY},
    )


def gateway_pods(
    settings: Settings, gateway: GatewaySettings, figures: GatewayFigures
) -> tuple[Resource, ...]:
    """Returns configuration and pods, which need token prices; arguments as above."""
    named = {SDS: yaml.safe_dump(certificate_file(), sort_keys=False)}
    files = {**programs(), **(named if gateway.tls.is_on else {})}
    bootstrap = envoy(settings, gateway, figures)
    front = running(FRONT, settings, gateway, figures, bootstrap, files)
    if not settings.separates_inside:
        return front
    way_out = egress(settings, gateway)
    files = named if gateway.tls.egress_secret is not None else {}
    return *running(WAY_OUT, settings, gateway, figures, way_out, files), *front


def _standing(settings: Settings, gateway: GatewaySettings) -> Iterator[Resource]:
    """Yields everything that needs no price."""
    yield from standing(FRONT, settings)
    yield from certificate(settings, gateway)
    yield from entry(settings, gateway)
    yield from _services(settings)
    if settings.separates_inside:
        yield from standing(WAY_OUT, settings)
        yield _headless(WAY_OUT, settings, API_PORT, API_PORT)
    yield from store_resources(settings, gateway)


def _services(settings: Settings) -> Iterator[Resource]:
    yield Resource(
        name=GATEWAY,
        manifest={
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata_of(FRONT, settings, {**service_annotations(settings), **_LATER}),
            "spec": address(
                settings,
                GATEWAY_LABELS,
                # The model's port: a client of mode self-host only changes the name.
                port=ENGINE_PORT,
                port_name=GATEWAY_PORT_NAME,
                scheme=settings.gateway.scheme,
            ),
        },
    )
    served = {
        settings.name: answering_labels(settings),
        **{other.name: {**ENGINE_LABELS, MODEL: other.name} for other in settings.co_located},
    }
    for _, _, tried in trials_of(settings):
        served[tried.settings.name] = answering_labels(tried.settings)
    for name, labels in served.items():
        replicas = PodSet(replicas_of(name), labels)
        yield _headless(replicas, settings, ENGINE_PORT, ENGINE_PORT_NAME)


def _headless(pods: PodSet, settings: Settings, port: int, target: int | str) -> Resource:
    """Returns a Service whose name has the addresses of all ready pods."""
    return Resource(
        name=pods.name,
        manifest={
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata_of(pods, settings, _LATER),
            "spec": {
                "type": "ClusterIP",
                "clusterIP": "None",
                "selector": dict(pods.labels),
                "ports": [{"name": "http", "port": port, "targetPort": target}],
            },
        },
    )
