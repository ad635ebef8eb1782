"""Environment variables of the containers: no telemetry, no hub, caches in writable folders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from breakeven.manifests.serving.security import USER_ENVIRONMENT

CACHE = "/cache"

NO_TELEMETRY: Mapping[str, str] = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
}

_ENGINE_TELEMETRY: Mapping[str, str] = {
    # vLLM asks whether it is "1", not whether it is set.
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
    # If a version ignores the variable, it still reaches nobody.
    "VLLM_USAGE_STATS_SERVER": "http://127.0.0.1:9",
    "LMCACHE_TRACK_USAGE": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
}

_OFFLINE: Mapping[str, str] = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "VLLM_USE_MODELSCOPE": "false",
    "VLLM_MEDIA_URL_ALLOW_REDIRECTS": "0",
}

# vLLM closes a connection that was idle for 5 s, while clients and load balancers keep theirs for
# 15 to 90 s: a request that is on its way then is lost without an answer. The side that sends has
# to close first.
_CONNECTIONS: Mapping[str, str] = {"VLLM_HTTP_TIMEOUT_KEEP_ALIVE": "120"}

# A user without a home directory writes to "/" and fails; each of these has a default there.
_CACHES: Mapping[str, str] = {
    "HOME": CACHE,
    "XDG_CACHE_HOME": f"{CACHE}/xdg",
    "XDG_CONFIG_HOME": f"{CACHE}/config",
    "HF_HOME": f"{CACHE}/huggingface",
    "VLLM_CACHE_ROOT": f"{CACHE}/vllm",
    "VLLM_CONFIG_ROOT": f"{CACHE}/config/vllm",
    "TRITON_CACHE_DIR": f"{CACHE}/triton",
    "TORCHINDUCTOR_CACHE_DIR": f"{CACHE}/torchinductor",
    "NUMBA_CACHE_DIR": f"{CACHE}/numba",
    "OUTLINES_CACHE_DIR": f"{CACHE}/outlines",
}


def engine_environment(*, api_key_secret: str, ready_seconds: int) -> list[dict[str, Any]]:
    """Returns the engine's environment.

    Args:
        api_key_secret: Secret whose "api-key" clients must send. Not a flag: flags can be read in
            the list of processes.
        ready_seconds: How long vLLM waits for its own engine; its default of 600 s ends the load of
            large models from slow volumes (vllm#35616).
    """
    return [
        *env_vars({**NO_TELEMETRY, **_ENGINE_TELEMETRY, **_OFFLINE, **_CACHES, **USER_ENVIRONMENT}),
        *env_vars(_CONNECTIONS),
        *env_vars({"VLLM_ENGINE_READY_TIMEOUT_S": str(ready_seconds)}),
        from_secret("VLLM_API_KEY", secret=api_key_secret, key="api-key"),
        # Otherwise vLLM asks the network for its own address by a route to 8.8.8.8.
        {
            "name": "VLLM_HOST_IP",
            "valueFrom": {
                # The version as the API server fills it in: left out, a second apply after a killed
                # engine would be a conflict with the first.
                "fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}
            },
        },
    ]


def env_vars(values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Returns variables with these values."""
    return [{"name": name, "value": value} for name, value in values.items()]


def from_secret(name: str, *, secret: str, key: str) -> dict[str, Any]:
    """Returns a variable whose value is in a Secret and never in Pulumi's state."""
    return {
        "name": name,
        "valueFrom": {
            "secretKeyRef": {"name": secret, "key": key},
        },
    }
