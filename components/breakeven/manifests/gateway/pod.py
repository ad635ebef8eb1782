"""The gateway's pod: Envoy with its files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from breakeven.manifests.gateway.filters import CONNECTION_SECONDS
from breakeven.manifests.gateway.labels import (
    API_PORT,
    CERTIFICATE_FOLDER,
    EGRESS_CA_FOLDER,
    ENGINE_CA_FOLDER,
    FILES_FOLDER,
    FRONT,
    GATEWAY_PORT,
    GATEWAY_PORT_NAME,
    JWKS_FOLDER,
    KEYS_FOLDER,
    METRICS_PORT,
    METRICS_PORT_NAME,
    WAY_OUT,
    PodSet,
    api_key,
    own_key,
    providers_of,
)
from breakeven.manifests.gateway.limits import longest_answer
from breakeven.manifests.gateway.sizing import GATEWAY_POD
from breakeven.manifests.serving.environment import from_secret
from breakeven.manifests.serving.placement import leaving_lost_nodes
from breakeven.manifests.serving.security import container_security, pod_security
from breakeven.manifests.serving.timings import EXIT_MARGIN, PRE_STOP
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

CONFIGURATION = "envoy.yaml"


def gateway_pod(
    pods: PodSet, settings: Settings, gateway: GatewaySettings, files: Iterable[str]
) -> dict[str, Any]:
    """Returns a pod of the gateway, whose account and ConfigMap have the name of its set.

    Args:
        pods: The set.
        settings: The stack's settings.
        gateway: Its gateway.
        files: Names of the files in the ConfigMap.
    """
    drain = drain_seconds(settings, gateway)
    return {
        "serviceAccountName": pods.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(),
        "topologySpreadConstraints": [
            {
                "topologyKey": key,
                "maxSkew": 1,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": dict(pods.labels)},
            }
            for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
        ],
        "tolerations": leaving_lost_nodes(),
        "terminationGracePeriodSeconds": drain + EXIT_MARGIN,
        "containers": [_container(pods, settings, gateway, drain)],
        "volumes": [
            {
                "name": "configuration",
                "configMap": {
                    "name": pods.name,
                    "items": [{"key": file, "path": file} for file in files],
                },
            },
            *(
                [
                    {
                        "name": "team-keys",
                        "secret": {
                            "secretName": gateway.team_keys_secret,
                            "defaultMode": 0o440,
                            # Where callers have tokens, no team needs a key.
                            **({"optional": True} if gateway.oidc.is_on else {}),
                        },
                    }
                ]
                if pods is FRONT
                else []
            ),
            *_certificates(pods, settings, gateway),
        ],
    }


def _certificates(
    pods: PodSet, settings: Settings, gateway: GatewaySettings
) -> list[dict[str, Any]]:
    """Returns a set's own certificate, and whom it believes: of replicas, pods and callers."""
    tls = gateway.tls
    if pods is WAY_OUT:
        return [_secret("tls", tls.egress_secret)] if tls.egress_secret else []
    found = {
        "tls": (tls.secret, None),
        # Never the key of others.
        "engine-ca": (settings.network.tls_secret, "ca.crt"),
        "egress-ca": (tls.egress_secret, "ca.crt"),
        "jwks": (gateway.oidc.jwks_secret, None),
    }
    return [_secret(name, secret, only) for name, (secret, only) in found.items() if secret]


def _secret(name: str, secret: str, only: str | None = None) -> dict[str, Any]:
    items = {} if only is None else {"items": [{"key": only, "path": only}]}
    return {"name": name, "secret": {"secretName": secret, **items, "defaultMode": 0o440}}


def drain_seconds(settings: Settings, gateway: GatewaySettings) -> int:
    """Returns how long a pod that stops goes on, so that nothing is cut.

    Envoy ends at once when it gets the signal. By then, no new connection arrives; a client has
    returned its connection at the maximum age, and the requests on it have ended.
    """
    return PRE_STOP + CONNECTION_SECONDS + longest_answer(settings, gateway)


def _container(
    pods: PodSet, settings: Settings, gateway: GatewaySettings, drain: int
) -> dict[str, Any]:
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
        **({"env": _keys(settings)} if pods is FRONT else {}),
        "ports": [
            {
                "name": GATEWAY_PORT_NAME,
                "containerPort": GATEWAY_PORT if pods is FRONT else API_PORT,
            },
            {"name": METRICS_PORT_NAME, "containerPort": METRICS_PORT},
        ],
        "securityContext": container_security(read_only_root=True),
        # No CPU limit, which would throttle streams.
        "resources": {
            "requests": {
                "cpu": f"{GATEWAY_POD.millicores}m",
                "memory": f"{GATEWAY_POD.memory_bytes // 2**20}Mi",
                "ephemeral-storage": "64Mi",
            },
            "limits": {
                "memory": f"{GATEWAY_POD.memory_bytes // 2**20}Mi",
                "ephemeral-storage": "256Mi",
            },
        },
        "startupProbe": _probe(period=1, failures=60),
        "readinessProbe": _probe(period=5, failures=3),
        "livenessProbe": _probe(period=10, failures=6),
        "lifecycle": {"preStop": {"sleep": {"seconds": drain}}},
        "volumeMounts": [
            {"name": "configuration", "mountPath": FILES_FOLDER, "readOnly": True},
            *(
                [{"name": "team-keys", "mountPath": KEYS_FOLDER, "readOnly": True}]
                if pods is FRONT
                else []
            ),
            *_certificate_mounts(pods, settings, gateway),
        ],
    }


def _certificate_mounts(
    pods: PodSet, settings: Settings, gateway: GatewaySettings
) -> list[dict[str, Any]]:
    folders = {
        "tls": CERTIFICATE_FOLDER,
        "engine-ca": ENGINE_CA_FOLDER,
        "egress-ca": EGRESS_CA_FOLDER,
        "jwks": JWKS_FOLDER,
    }
    return [
        {"name": volume["name"], "mountPath": folders[volume["name"]], "readOnly": True}
        for volume in _certificates(pods, settings, gateway)
    ]


def _keys(settings: Settings) -> list[dict[str, Any]]:
    """Returns the gateway's own keys; pods that only call the API get them with each request."""
    apis = [
        from_secret(api_key(settings, api), secret=api.key_secret, key="api-key")
        for api in providers_of(settings)
    ]
    own = from_secret("OWN_API_KEY", secret=settings.engine.api_key_secret, key="api-key")
    others = {own_key(settings, at): one for at, one in enumerate(settings.co_located, start=1)}
    further = [
        from_secret(name, secret=other.api_key_secret, key="api-key")
        for name, other in others.items()
        if name != own["name"]
    ]
    return [own, *further, *apis]


def _probe(*, period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": "/ready", "port": METRICS_PORT_NAME},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
