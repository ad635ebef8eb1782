"""The API server, and the container runtime of its nodes."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.cluster.preflight.check import Check, Probe, always
from breakeven.cluster.preflight.finding import Finding, failed, passed, unknown, warning
from breakeven.cluster.preflight.needs import Needs
from breakeven.cluster.versions import is_older
from breakeven.policy.manifest import listed

IMAGE_VOLUMES, IMAGE_VOLUMES_BY_GATE = "1.35", "1.33"
"""From which Kubernetes pods mount images as volumes, by default and with the feature gate:
kubernetes.io, image volumes."""
SIDECARS = "1.29"
"""From which Kubernetes an init container may keep running: kubernetes.io, sidecar containers."""
RUNTIMES = {"containerd": "2.1", "cri-o": "1.31"}
"""Oldest container runtime that mounts images with a path below them as volumes: kubernetes.io,
image volumes; containerd/containerd releases 2.1."""


def _has_sidecars(needs: Needs) -> bool:
    return any(
        container.get("restartPolicy") == "Always"
        for pod in needs.pods
        for container in listed(pod.spec.get("initContainers"))
    )


def _api_version(probe: Probe) -> Iterator[Finding]:
    for context, cluster in probe.clusters.items():
        version = str(cluster.get("/version").get("gitVersion", "?"))
        where = f" in context {context}" if context else ""
        if not context and probe.needs.volume_images and is_older(version, IMAGE_VOLUMES_BY_GATE):
            yield failed(
                f"Kubernetes {version} cannot mount images as volumes",
                f"upgrade to {IMAGE_VOLUMES}, or set weights.claim instead of weights.image",
            )
        elif not context and probe.needs.volume_images and is_older(version, IMAGE_VOLUMES):
            yield warning(
                f"Kubernetes {version} mounts images as volumes only with a feature gate",
                f"enable the feature gate ImageVolume, or upgrade to {IMAGE_VOLUMES}",
            )
        elif not context and _has_sidecars(probe.needs) and is_older(version, SIDECARS):
            yield failed(
                f"Kubernetes {version} has no sidecar containers", f"upgrade to {SIDECARS} or newer"
            )
        else:
            yield passed(f"Kubernetes {version} at {cluster.address}{where}")


def _runtime(probe: Probe) -> Iterator[Finding]:
    old = {}
    for node in probe.nodes:
        runtime = str(node["status"].get("nodeInfo", {}).get("containerRuntimeVersion", ""))
        name, _, version = runtime.partition("://")
        if name in RUNTIMES and is_older(version, RUNTIMES[name]):
            old[node["metadata"]["name"]] = f"{name} {version}"
    if old:
        nodes = ", ".join(f"{node} ({runtime})" for node, runtime in sorted(old.items()))
        needed = " or ".join(f"{name} {version}" for name, version in RUNTIMES.items())
        yield failed(
            f"the container runtime cannot mount image volumes on {nodes}",
            f"upgrade these nodes to {needed}, or set weights.claim instead of weights.image",
        )
    elif not probe.nodes:
        yield unknown("no node reports the version of its container runtime", "add a node")
    else:
        yield passed(f"the container runtimes of {len(probe.nodes)} nodes mount image volumes")


CHECKS = (
    Check(
        id="api-server",
        asks="API server version of every cluster that the stack deploys to",
        applies=always,
        run=_api_version,
    ),
    Check(
        id="container-runtime",
        asks="version of the nodes' container runtime, if weights are an image volume",
        applies=lambda needs: bool(needs.volume_images),
        run=_runtime,
    ),
)
