"""The counters of teams' usage: the rate limit service, and Valkey with a volume."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from breakeven.manifests.gateway.labels import (
    GATEWAY,
    LIMITS_HEALTH_PORT,
    LIMITS_PORT,
    STORE,
    STORE_LABELS,
    VALKEY_PORT,
)
from breakeven.manifests.gateway.limits import limits
from breakeven.manifests.gateway.sizing import RATELIMIT, VALKEY, PodSize
from breakeven.manifests.resource import Resource, stated
from breakeven.manifests.serving.environment import env_vars
from breakeven.manifests.serving.labels import described
from breakeven.manifests.serving.security import container_security, pod_security
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

_FOLDER = "/data"
_LIMITS_FOLDER = "/etc/ratelimit"
_LIMITS = "limits.yaml"


def store_resources(settings: Settings, gateway: GatewaySettings) -> Iterator[Resource]:
    """Yields the volume, the pod and the Service.

    One pod: while it moves, the own replicas serve on, and of teams with limits, whose money could
    not be counted, nothing goes to the API.

    Args:
        settings: The stack's settings.
        gateway: Its gateway, whose service account the pod has.
    """
    metadata = {
        "name": STORE,
        "namespace": settings.network.namespace,
        "labels": described(STORE_LABELS),
    }
    volume = Resource(
        name=STORE,
        manifest={
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            # A storage class that waits for the first pod does not bind before that pod exists.
            "metadata": {**metadata, "annotations": {"pulumi.com/skipAwait": "true"}},
            "spec": stated(
                {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": settings.weights.storage_class,
                    "resources": {"requests": {"storage": "1Gi"}},
                }
            ),
        },
    )
    yield volume
    text = yaml.safe_dump(limits(gateway), sort_keys=False)
    configuration = Resource(
        name=STORE,
        manifest={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "data": {_LIMITS: text},
        },
    )
    yield configuration
    yield Resource(
        name=STORE,
        manifest={
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": dict(STORE_LABELS)},
                # Two pods would write to the same volume.
                "strategy": {"type": "Recreate"},
                "template": {
                    "metadata": {
                        "labels": described(STORE_LABELS),
                        # It reads its limits when it starts, so new limits need a new pod.
                        "annotations": {"breakeven/configuration": digest({_LIMITS: text})},
                    },
                    "spec": _pod(gateway),
                },
            },
        },
        depends_on=(volume.key, configuration.key, f"ServiceAccount/{GATEWAY}"),
    )
    yield Resource(
        name=STORE,
        manifest={
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {
                "type": "ClusterIP",
                "selector": dict(STORE_LABELS),
                "ports": [{"name": "grpc", "port": LIMITS_PORT, "targetPort": LIMITS_PORT}],
            },
        },
    )


def _pod(gateway: GatewaySettings) -> dict[str, Any]:
    return {
        "serviceAccountName": GATEWAY,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(),
        # The service exits if Valkey does not answer yet, and the kubelet restarts it.
        "containers": [_service(gateway), _valkey(gateway)],
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": STORE}},
            {"name": "limits", "configMap": {"name": STORE}},
        ],
    }


def digest(files: Mapping[str, str]) -> str:
    """Returns a text that changes with any of the files."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def valkey_arguments(port: int, folder: str) -> list[str]:
    """Returns the arguments of Valkey.

    It listens only on loopback, which only its own pod can reach, so it needs no password.

    Args:
        port: Port to listen on.
        folder: Its data folder.
    """
    return [
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--dir",
        folder,
        # Additions are written to the volume every second; a crash loses at most one second.
        "--appendonly",
        "yes",
        "--appendfsync",
        "everysec",
        "--save",
        "",
        # Sums are never evicted when memory is full: writes fail instead, which is visible.
        "--maxmemory",
        "192mb",
        "--maxmemory-policy",
        "noeviction",
    ]


def service_environment() -> dict[str, str]:
    """Returns the variables of the rate limit service."""
    return {
        "RUNTIME_ROOT": _LIMITS_FOLDER,
        "RUNTIME_SUBDIRECTORY": ".",
        "RUNTIME_APPDIRECTORY": ".",
        "RUNTIME_IGNOREDOTFILES": "true",
        "RUNTIME_WATCH_ROOT": "false",
        "GRPC_PORT": str(LIMITS_PORT),
        "PORT": str(LIMITS_HEALTH_PORT),
        "DEBUG_HOST": "127.0.0.1",
        "REDIS_SOCKET_TYPE": "tcp",
        "REDIS_URL": f"127.0.0.1:{VALKEY_PORT}",
        # Shorter than Envoy's timeout when an answer is required.
        "REDIS_TIMEOUT": "500ms",
        # Otherwise it logs every number.
        "DISABLE_STATS": "true",
        "LOG_LEVEL": "warn",
    }


def _valkey(gateway: GatewaySettings) -> dict[str, Any]:
    return {
        "name": "valkey",
        "image": gateway.store_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["valkey-server"],
        "args": valkey_arguments(VALKEY_PORT, _FOLDER),
        "securityContext": container_security(read_only_root=True),
        "resources": _resources(VALKEY, "128Mi", "256Mi"),
        "startupProbe": _ping(failures=24),
        "readinessProbe": _ping(failures=6),
        "livenessProbe": _ping(failures=6),
        "volumeMounts": [{"name": "data", "mountPath": _FOLDER}],
    }


def _resources(size: PodSize, disk: str, most_disk: str) -> dict[str, Any]:
    memory = f"{size.memory_bytes // 2**20}Mi"
    return {
        "requests": {"cpu": f"{size.millicores}m", "memory": memory, "ephemeral-storage": disk},
        "limits": {"memory": memory, "ephemeral-storage": most_disk},
    }


def _ping(*, failures: int) -> dict[str, Any]:
    return {
        "exec": {"command": ["sh", "-c", "valkey-cli ping | grep -q PONG"]},
        "periodSeconds": 5,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def _service(gateway: GatewaySettings) -> dict[str, Any]:
    def probe(failures: int) -> dict[str, Any]:
        return {
            "httpGet": {"path": "/healthcheck", "port": LIMITS_HEALTH_PORT},
            "periodSeconds": 5,
            "timeoutSeconds": 5,
            "failureThreshold": failures,
        }

    return {
        "name": "ratelimit",
        "image": gateway.limits_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/ratelimit"],
        "env": env_vars(service_environment()),
        "ports": [{"containerPort": LIMITS_PORT}, {"containerPort": LIMITS_HEALTH_PORT}],
        "securityContext": container_security(read_only_root=True),
        "resources": _resources(RATELIMIT, "64Mi", "128Mi"),
        "startupProbe": probe(24),
        "readinessProbe": probe(3),
        "livenessProbe": probe(6),
        "volumeMounts": [{"name": "limits", "mountPath": _LIMITS_FOLDER, "readOnly": True}],
    }
