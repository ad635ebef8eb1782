"""The gateway's pod: Envoy with its files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from breakeven.manifests.gateway.labels import (
    FILES_FOLDER,
    GATEWAY,
    GATEWAY_LABELS,
    GATEWAY_PORT,
    GATEWAY_PORT_NAME,
    KEYS_FOLDER,
    METRICS_PORT,
    METRICS_PORT_NAME,
)
from breakeven.manifests.gateway.listeners import CONNECTION_SECONDS, longest_answer
from breakeven.manifests.gateway.sizing import MEMORY_BYTES, MILLICORES
from breakeven.manifests.serving.environment import from_secret
from breakeven.manifests.serving.security import container_security, pod_security
from breakeven.manifests.serving.timings import EXIT_MARGIN, PRE_STOP
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

CONFIGURATION = "envoy.yaml"


def gateway_pod(
    settings: Settings, gateway: GatewaySettings, files: Iterable[str]
) -> dict[str, Any]:
    """Returns the pod of one gateway, whose account and ConfigMap have the gateway's name.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
        files: Names of the files in the ConfigMap.
    """
    drain = drain_seconds(settings, gateway)
    return {
        "serviceAccountName": GATEWAY,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(),
        "topologySpreadConstraints": [
            {
                "topologyKey": key,
                "maxSkew": 1,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": dict(GATEWAY_LABELS)},
            }
            for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
        ],
        "terminationGracePeriodSeconds": drain + EXIT_MARGIN,
        "containers": [_container(settings, gateway, drain)],
        "volumes": [
            {
                "name": "configuration",
                "configMap": {
                    "name": GATEWAY,
                    "items": [{"key": file, "path": file} for file in files],
                },
            },
            {
                "name": "team-keys",
                "secret": {"secretName": gateway.team_keys_secret, "defaultMode": 0o440},
            },
        ],
    }


def drain_seconds(settings: Settings, gateway: GatewaySettings) -> int:
    """Returns how long a pod that stops goes on, so that nothing is cut.

    Envoy ends at once when it is told to. Before that no new connection comes any more; a client
    gives back the one that it has when it is as old as it may become, and what was begun on it
    by then ends.
    """
    return PRE_STOP + CONNECTION_SECONDS + longest_answer(settings, gateway)


def _container(settings: Settings, gateway: GatewaySettings, drain: int) -> dict[str, Any]:
    return {
        "name": "envoy",
        "image": gateway.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["envoy"],
        "args": [
            # Envoy takes no --name=value.
            *("--config-path", f"{FILES_FOLDER}/{CONFIGURATION}"),
            # One thread: idle connections of another one would count against a replica's limit.
            # More pods do what more threads would.
            *("--concurrency", "1"),
            *("--log-level", "warning"),
            "--disable-hot-restart",
        ],
        "env": [
            from_secret("OWN_API_KEY", secret=settings.engine.api_key_secret, key="api-key"),
            *(
                [from_secret("OVERFLOW_API_KEY", secret=gateway.overflow.key_secret, key="api-key")]
                if settings.overflow_api is not None
                else []
            ),
        ],
        "ports": [
            {"name": GATEWAY_PORT_NAME, "containerPort": GATEWAY_PORT},
            {"name": METRICS_PORT_NAME, "containerPort": METRICS_PORT},
        ],
        "securityContext": container_security(read_only_root=True),
        # No CPU limit, which would throttle streams.
        "resources": {
            "requests": {
                "cpu": f"{MILLICORES}m",
                "memory": f"{MEMORY_BYTES // 2**20}Mi",
                "ephemeral-storage": "64Mi",
            },
            "limits": {"memory": f"{MEMORY_BYTES // 2**20}Mi", "ephemeral-storage": "256Mi"},
        },
        "startupProbe": _probe(period=1, failures=60),
        "readinessProbe": _probe(period=5, failures=3),
        "livenessProbe": _probe(period=10, failures=6),
        "lifecycle": {"preStop": {"sleep": {"seconds": drain}}},
        "volumeMounts": [
            {"name": "configuration", "mountPath": FILES_FOLDER, "readOnly": True},
            {"name": "team-keys", "mountPath": KEYS_FOLDER, "readOnly": True},
        ],
    }


def _probe(*, period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": "/ready", "port": METRICS_PORT_NAME},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
