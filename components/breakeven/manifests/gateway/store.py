"""Where the gateways count what teams have used: Valkey with a volume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from breakeven.manifests.gateway.labels import GATEWAY, STORE, STORE_LABELS, STORE_PORT
from breakeven.manifests.resource import Resource, stated
from breakeven.manifests.serving.environment import from_secret
from breakeven.manifests.serving.labels import described
from breakeven.manifests.serving.security import container_security, pod_security
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

_FOLDER = "/data"


def store_resources(settings: Settings, gateway: GatewaySettings) -> Iterator[Resource]:
    """Yields volume, pod and Service.

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
            # A class that waits for the first pod binds nothing before there is one.
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
    yield Resource(
        name=STORE,
        manifest={
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": dict(STORE_LABELS)},
                # Two at once would write to the same volume.
                "strategy": {"type": "Recreate"},
                "template": {
                    "metadata": {"labels": described(STORE_LABELS)},
                    "spec": _pod(gateway),
                },
            },
        },
        depends_on=(volume.key, f"ServiceAccount/{GATEWAY}"),
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
                "ports": [{"name": "valkey", "port": STORE_PORT, "targetPort": STORE_PORT}],
            },
        },
    )


def _pod(gateway: GatewaySettings) -> dict[str, Any]:
    return {
        "serviceAccountName": GATEWAY,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(),
        "containers": [_container(gateway)],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": STORE}}],
    }


def store_script(port: int, folder: str) -> str:
    """Returns the shell script that becomes Valkey.

    Its password comes by standard input, so no list of processes has it; and no pipe, whose shell
    would stay and take the signal to stop.

    Args:
        port: Port to listen on.
        folder: Where its files lie.
    """
    arguments = [
        f"--port {port}",
        f"--dir {folder}",
        # Each second's additions reach the volume; a crash forgets a second at most.
        "--appendonly yes",
        "--appendfsync everysec",
        "--save ''",
        # Sums are never thrown away for want of room: writing fails instead, and is seen.
        "--maxmemory 192mb",
        "--maxmemory-policy noeviction",
        "-",  # the last one: read the rest from standard input
    ]
    return f"exec valkey-server {' '.join(arguments)} <<END\nrequirepass $STORE_PASSWORD\nEND\n"


def _probe(*, failures: int) -> dict[str, Any]:
    return {
        "exec": {
            "command": [
                "sh",
                "-c",
                'REDISCLI_AUTH="$STORE_PASSWORD" valkey-cli ping | grep -q PONG',
            ]
        },
        "periodSeconds": 5,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def _container(gateway: GatewaySettings) -> dict[str, Any]:
    return {
        "name": "valkey",
        "image": gateway.store_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c"],
        "args": [store_script(STORE_PORT, _FOLDER)],
        "env": [from_secret("STORE_PASSWORD", secret=gateway.secret, key="store-password")],
        "ports": [{"containerPort": STORE_PORT}],
        "securityContext": container_security(read_only_root=True),
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "128Mi"},
            "limits": {"memory": "256Mi", "ephemeral-storage": "256Mi"},
        },
        "startupProbe": _probe(failures=24),
        "readinessProbe": _probe(failures=6),
        "livenessProbe": _probe(failures=6),
        "volumeMounts": [{"name": "data", "mountPath": _FOLDER}],
    }
