"""The kit's own manifests with one hardening field taken away, or a whole policy."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Manifests = list[dict[str, Any]]

_FIELDS = {
    *("allowPrivilegeEscalation", "automountServiceAccountToken", "capabilities", "drop"),
    *("enableServiceLinks", "ephemeral-storage", "livenessProbe", "memory"),
    *("podSelector", "policyTypes", "readinessProbe", "readOnlyRootFilesystem", "runAsNonRoot"),
    *(
        "runAsGroup",
        "runAsUser",
        "seccompProfile",
        "securityContext",
        "serviceAccountName",
        "sizeLimit",
    ),
    *("startupProbe",),
}
_FLAGS = ("--disable-fastapi-docs", "--load-format", "--shutdown-timeout", "--max-model-len")
_VARIABLES = {
    *("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"),
    *("HF_HUB_DISABLE_IMPLICIT_TOKEN", "HF_HUB_DISABLE_UPDATE_CHECK", "VLLM_NO_USAGE_STATS"),
    *("VLLM_DO_NOT_TRACK", "DO_NOT_TRACK", "VLLM_USE_MODELSCOPE", "LMCACHE_TRACK_USAGE"),
    *("RAY_USAGE_STATS_ENABLED", "VLLM_MEDIA_URL_ALLOW_REDIRECTS", "VLLM_API_KEY"),
}


def mutations(originals: Manifests) -> Iterator[tuple[str, int, Manifests]]:
    """Yields what was taken away, the manifest that it was taken from, and all manifests then.

    All but that one are the originals.
    """
    for number, original in enumerate(originals):
        what = f"{original['kind']}/{original['metadata']['name']}"
        for path in _hardening(original, ()):
            changed = [*originals]
            changed[number] = copy.deepcopy(original)
            place: Any = changed[number]
            for key in path[:-1]:
                place = place[key]
            del place[path[-1]]
            yield f"{what} {'.'.join(map(str, path))}", number, changed
        if original["kind"] == "NetworkPolicy" and original["metadata"]["name"] == "default-deny":
            yield what, number, [item for item in originals if item is not original]


def _hardening(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict) and value.get("command") == ["vllm", "serve"]:
        yield from _of_server(value, path)
    for key, item in value.items() if isinstance(value, dict) else ():
        # No selector means the same as an empty one, a root that may be written is the default, and
        # the API server takes a memory limit for the request that is not there.
        needless = (
            (key == "podSelector" and not item.get("matchLabels"))
            or (key == "readOnlyRootFilesystem" and item is False)
            or (key == "memory" and path[-1] == "requests")
        )
        labels = key.startswith("pod-security.kubernetes.io/")
        if (key in _FIELDS or labels) and not needless:
            yield (*path, key)
        yield from _hardening(item, (*path, key))
    for number, item in enumerate(value if isinstance(value, list) else ()):
        yield from _hardening(item, (*path, number))


def _of_server(container: dict[str, Any], path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    for number, variable in enumerate(container["env"]):
        if variable["name"] in _VARIABLES:
            yield (*path, "env", number)
    for number, argument in enumerate(container["args"]):
        flag = argument.partition("=")[0]
        # A further node of a replica has no requests to end.
        needless = flag == "--shutdown-timeout" and "--headless" in container["args"]
        if flag in _FLAGS and not needless:
            yield (*path, "args", number)
