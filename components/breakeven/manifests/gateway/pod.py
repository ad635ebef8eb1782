"""The gateway's pod: LiteLLM with our policy beside it."""

from __future__ import annotations

from typing import Any

from breakeven.manifests.gateway.configuration import KEYS_FOLDER, MODULES
from breakeven.manifests.gateway.labels import (
    GATEWAY,
    GATEWAY_LABELS,
    GATEWAY_PORT,
    GATEWAY_PORT_NAME,
    METRICS_PORT,
    METRICS_PORT_NAME,
)
from breakeven.manifests.serving.environment import NO_TELEMETRY, env_vars, from_secret
from breakeven.manifests.serving.security import container_security, pod_security
from breakeven.manifests.serving.timings import EXIT_MARGIN, PRE_STOP
from breakeven.settings.gateway import GatewaySettings
from breakeven.settings.stack import Settings

CONFIGURATION = "litellm.yaml"
POLICY = "policy.json"

_CONFIGURATION_FOLDER = "/etc/gateway"
_POLICY_FOLDER = "/opt/gateway"
_SCRATCH = "/tmp"  # noqa: S108  # a mount of the pod's own


def gateway_pod(settings: Settings, gateway: GatewaySettings) -> dict[str, Any]:
    """Returns the pod of one gateway, whose account and ConfigMap have the gateway's name.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
    """
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
        # As long as the longest answer may take: a stopping gateway ends what it began.
        "terminationGracePeriodSeconds": PRE_STOP
        + _longest_answer(settings, gateway)
        + EXIT_MARGIN,
        "containers": [_container(settings, gateway)],
        "volumes": [
            _files("configuration", CONFIGURATION),
            _files("policy", POLICY, *MODULES),
            {
                "name": "team-keys",
                "secret": {"secretName": gateway.team_keys_secret, "defaultMode": 0o440},
            },
            {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}},
        ],
    }


def _longest_answer(settings: Settings, gateway: GatewaySettings) -> int:
    own = settings.engine.longest_request_seconds
    return own if settings.overflow_api is None else max(own, gateway.overflow.timeout_seconds)


def _container(settings: Settings, gateway: GatewaySettings) -> dict[str, Any]:
    return {
        "name": "litellm",
        "image": gateway.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["litellm"],
        "args": [
            f"--config={_CONFIGURATION_FOLDER}/{CONFIGURATION}",
            "--host=0.0.0.0",
            f"--port={GATEWAY_PORT}",
            # One: the policy counts in memory, and more pods do what more processes would.
            "--num_workers=1",
        ],
        "env": [
            *env_vars(environment()),
            from_secret("LITELLM_MASTER_KEY", secret=gateway.secret, key="master-key"),
            from_secret("STORE_PASSWORD", secret=gateway.secret, key="store-password"),
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
        # 0.37 GiB seen after the start; no CPU limit, which would throttle streams.
        "resources": {
            "requests": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"},
            "limits": {"memory": "2Gi", "ephemeral-storage": "3Gi"},
        },
        "startupProbe": _probe("/health/liveliness", period=5, failures=36),
        "readinessProbe": _probe("/health/readiness", period=5, failures=3),
        "livenessProbe": _probe("/health/liveliness", period=10, failures=6),
        "lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP}}},
        "volumeMounts": [
            {"name": "configuration", "mountPath": _CONFIGURATION_FOLDER, "readOnly": True},
            # Not beside the configuration: LiteLLM would load a module that it finds there once
            # for each place that names it, and the policy would be there twice.
            {"name": "policy", "mountPath": _POLICY_FOLDER, "readOnly": True},
            {"name": "team-keys", "mountPath": KEYS_FOLDER, "readOnly": True},
            {"name": "scratch", "mountPath": _SCRATCH},
        ],
    }


def environment() -> dict[str, str]:
    """Returns the gateway's plain variables: nothing asked outside, no pages, no telemetry."""
    return {
        **NO_TELEMETRY,
        "PYTHONPATH": _POLICY_FOLDER,
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": _SCRATCH,
        "XDG_CACHE_HOME": _SCRATCH,
        # Else it asks GitHub for its table of prices when it starts.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        # Else it asks the hub for a tokenizer, and stands still for 23 s where it has none (seen).
        "HF_HUB_OFFLINE": "1",
        "DISABLE_ADMIN_UI": "True",
        "NO_DOCS": "True",
        "NO_REDOC": "True",
        "LITELLM_LOG": "WARNING",
    }


def _files(name: str, *files: str) -> dict[str, Any]:
    return {
        "name": name,
        "configMap": {"name": GATEWAY, "items": [{"key": file, "path": file} for file in files]},
    }


def _probe(path: str, *, period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": GATEWAY_PORT_NAME},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
