"""Pods that a probe starts for a moment, in a namespace of their own, and always removes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from breakeven.cluster.connection import Cluster
from breakeven.policy.manifest import at, listed, mapped

LABELS = {"app.kubernetes.io/part-of": "breakeven-preflight"}
_PODS = "/api/v1/namespaces/{namespace}/pods"
_POLL_SECONDS = 1.0
_FAILED_PULLS = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}


@contextmanager
def probe_namespace(cluster: Cluster) -> Iterator[str]:
    """Makes a namespace for restricted pods; it is deleted at the end, however that comes."""
    name = f"breakeven-preflight-{secrets.token_hex(4)}"
    manifest = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {**LABELS, "pod-security.kubernetes.io/enforce": "restricted"},
        },
    }
    try:
        cluster.create("/api/v1/namespaces", manifest)
        yield name
    finally:
        cluster.delete(f"/api/v1/namespaces/{name}")


def start_pod(  # noqa: PLR0913  # what a pod is made of
    cluster: Cluster,
    namespace: str,
    name: str,
    image: str,
    command: list[str],
    *,
    labels: Mapping[str, str] = {},
    pull_secrets: tuple[str, ...] = (),
) -> None:
    """Starts a restricted pod.

    Args:
        cluster: Where.
        namespace: In which namespace.
        name: Name of the pod.
        image: Its image.
        command: What it runs.
        labels: Labels besides those of all probes.
        pull_secrets: Secrets with which nodes pull the image.
    """
    container = {
        "name": "probe",
        "image": image,
        "command": command,
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "imagePullSecrets": [{"name": each} for each in pull_secrets],
        "containers": [container],
    }
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {**LABELS, **labels}},
        "spec": spec,
    }
    cluster.create(_PODS.format(namespace=namespace), manifest)


def pod_states(cluster: Cluster, namespace: str, seconds: float) -> Iterator[dict[str, Any]]:
    """Yields the pods of probes by name, every second until the time is over."""
    selector = ",".join(f"{key}={value}" for key, value in LABELS.items())
    ends = time.monotonic() + seconds
    while True:
        pods = cluster.items(_PODS.format(namespace=namespace), labelSelector=selector)
        yield {str(pod["metadata"]["name"]): pod for pod in pods}
        if time.monotonic() >= ends:
            return
        time.sleep(_POLL_SECONDS)


def pull_of(pod: Mapping[str, Any]) -> tuple[bool | None, str]:
    """Returns whether a pod's image was pulled, None while nobody knows, and why it was not."""
    statuses = listed(at(pod, "status", "containerStatuses"))
    state = mapped(at(statuses[0], "state")) if statuses else {}
    if "running" in state or "terminated" in state:
        return True, ""
    waiting = mapped(state.get("waiting"))
    if waiting.get("reason") in _FAILED_PULLS:
        return False, " ".join(str(waiting.get("message") or waiting["reason"]).split())
    if statuses and statuses[0].get("imageID"):
        return True, ""
    return None, _why_waiting(pod)


def _why_waiting(pod: Mapping[str, Any]) -> str:
    for condition in listed(at(pod, "status", "conditions")):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"no node takes the pod: {condition.get('message', 'no reason given')}"
    return "the image pull takes longer; raise --probe-seconds"


def ended_with(pod: Mapping[str, Any]) -> str | None:
    """Returns what a pod said at its end; None while it runs."""
    statuses = listed(at(pod, "status", "containerStatuses"))
    ended = at(statuses[0], "state", "terminated") if statuses else None
    return None if ended is None else str(mapped(ended).get("message") or "").strip()
