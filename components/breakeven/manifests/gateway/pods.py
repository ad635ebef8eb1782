"""A set of the gateway's pods: what runs, how many, and what keeps them running."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from breakeven.manifests.gateway.figures import GatewayFigures
from breakeven.manifests.gateway.labels import METRICS_PORT_NAME, PodSet
from breakeven.manifests.gateway.pod import CONFIGURATION, gateway_pod
from breakeven.manifests.gateway.sizing import CPU_TARGET_PERCENT
from breakeven.manifests.gateway.store import digest
from breakeven.manifests.resource import Resource, stated
from breakeven.manifests.serving.labels import described
from breakeven.manifests.templates import render_manifest
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings


class _Plain(yaml.SafeDumper):
    """Writes what appears twice twice: aliases are hard to read, and to compare."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # PyYAML's signature
        """Tells that no value is written as a reference."""
        return True


def metadata_of(
    pods: PodSet, settings: Settings, annotations: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Returns the metadata of an object of a set.

    Args:
        pods: The set.
        settings: The stack's settings.
        annotations: Its annotations, if any.
    """
    metadata = {
        "name": pods.name,
        "namespace": settings.network.namespace,
        "labels": described(pods.labels),
        "annotations": annotations or None,
    }
    return stated(metadata)


def standing(pods: PodSet, settings: Settings) -> Iterator[Resource]:
    """Yields what a set has before its pods start: account, disruption budget, what is scraped.

    Args:
        pods: The set.
        settings: The stack's settings.
    """
    metadata = metadata_of(pods, settings)
    yield Resource(
        name=pods.name,
        manifest={
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata,
            "automountServiceAccountToken": False,
        },
    )
    yield Resource(
        name=pods.name,
        manifest={
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata,
            "spec": {
                "selector": {"matchLabels": dict(pods.labels)},
                "maxUnavailable": 1,
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            },
        },
    )
    if settings.monitoring.enabled:
        values = {
            "name": pods.name,
            "labels": dict(pods.labels),
            "port_name": METRICS_PORT_NAME,
            "is_https": False,
        }
        monitor = render_manifest(
            "monitoring/pod-monitor.yaml.j2", values, namespace=settings.network.namespace
        )
        yield Resource(name=pods.name, manifest=monitor)


def running(  # noqa: PLR0913, PLR0917  # one argument for each thing that the pods need
    pods: PodSet,
    settings: Settings,
    gateway: GatewaySettings,
    figures: GatewayFigures,
    bootstrap: Mapping[str, Any],
    programs: Mapping[str, str],
) -> tuple[Resource, ...]:
    """Returns configuration, pods and autoscaler of a set.

    Args:
        pods: The set.
        settings: The stack's settings.
        gateway: Its gateway.
        figures: How many pods the load asks for.
        bootstrap: Envoy's configuration.
        programs: What it runs, by name of the file.
    """
    text = yaml.dump(dict(bootstrap), Dumper=_Plain, sort_keys=False, width=100)
    files = {CONFIGURATION: text, **programs}
    config = Resource(
        name=pods.name,
        manifest={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata_of(pods, settings),
            "data": files,
        },
    )
    # No number of replicas: it is the autoscaler's, and one written here would undo it.
    spec = {
        "selector": {"matchLabels": dict(pods.labels)},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        },
        "template": {
            "metadata": {
                "labels": described(pods.labels),
                # Envoy reads its files when it starts, so new ones need new pods.
                "annotations": {"breakeven/configuration": digest(files)},
            },
            "spec": gateway_pod(pods, settings, gateway, files),
        },
    }
    deployment = Resource(
        name=pods.name,
        manifest={
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata_of(pods, settings),
            "spec": spec,
        },
        depends_on=(config.key, f"ServiceAccount/{pods.name}"),
    )
    return config, deployment, _autoscaler(pods, settings, gateway, figures)


def _autoscaler(
    pods: PodSet, settings: Settings, gateway: GatewaySettings, figures: GatewayFigures
) -> Resource:
    """Returns what follows the CPU of the pods, up to what the busiest minute asks for.

    One pod more than that, so that a node that is lost at the peak is made up for.
    """
    metric = {
        "name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": CPU_TARGET_PERCENT},
    }
    manifest = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata_of(pods, settings),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": pods.name},
            "minReplicas": gateway.replicas,
            "maxReplicas": max(gateway.replicas, figures.most_pods) + 1,
            "metrics": [{"type": "Resource", "resource": metric}],
            "behavior": {
                "scaleUp": {
                    "stabilizationWindowSeconds": 0,
                    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
                },
                # A pod that stops drains for minutes, so none stops for a lull.
                "scaleDown": {
                    "stabilizationWindowSeconds": 600,
                    "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
                },
            },
        },
    }
    return Resource(name=pods.name, manifest=manifest, depends_on=(f"Deployment/{pods.name}",))
