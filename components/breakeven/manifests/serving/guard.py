"""The request guard, between vLLM and its callers, and the hook that drains a replica.

Two files of charts/serving/, mounted into the engine's container: middleware that vLLM loads, and
the preStop hook. What they guard against is in docs/vllm.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from breakeven.manifests.resource import Resource
from breakeven.manifests.serving.labels import ENGINE_PORT, described, engine_labels
from breakeven.manifests.serving.timings import Timings
from breakeven.manifests.templates import CHARTS
from breakeven.settings.stack import Settings
from breakeven.settings.vllm.chat_template import is_file, read_template

GUARD = "/guard"
MIDDLEWARE = "request_guard.RequestGuard"

_HOOK = "leave.py"
CHAT_TEMPLATE = f"{GUARD}/chat-template.jinja"
"""Path of a template that is not in the engine's image."""

_FILES = ("request_guard.py", _HOOK)
_VOLUME = "guard"
# A volume of the pod's own that the engine's container can write to.
_STATE = "/tmp"  # noqa: S108  # a mount, not a file


def guard_files(settings: Settings) -> Resource:
    """Returns the ConfigMap with the guard's files."""
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": _name(settings),
            "namespace": settings.network.namespace,
            "labels": described(engine_labels(settings)),
        },
        "data": _files(settings),
        "immutable": True,
    }
    return Resource(name=f"{settings.name}-guard", manifest=manifest)


def guard_environment(timings: Timings) -> Mapping[str, str]:
    """Returns the guard's configuration."""
    return {
        "PYTHONPATH": GUARD,
        "REQUEST_GUARD_FOLDER": _STATE,
        "REQUEST_GUARD_SECONDS": str(timings.longest_request),
    }


def guard_hook(timings: Timings) -> dict[str, Any]:
    """Returns the command that runs in the container before the signal to stop."""
    return {
        "preStop": {
            "exec": {
                "command": [
                    "python3",
                    f"{GUARD}/{_HOOK}",
                    f"--port={ENGINE_PORT}",
                    f"--seconds={timings.pre_stop}",
                ]
            }
        }
    }


def guard_volume(settings: Settings) -> dict[str, Any]:
    """Returns the volume with the guard's files."""
    return {"name": _VOLUME, "configMap": {"name": _name(settings)}}


def guard_mount() -> dict[str, Any]:
    """Returns the mount of that volume in the engine's container."""
    return {"name": _VOLUME, "mountPath": GUARD, "readOnly": True}


def _files(settings: Settings) -> dict[str, str]:
    files = {name: (CHARTS / "serving" / name).read_text(encoding="utf-8") for name in _FILES}
    template = _template(settings)
    if template:
        files[CHAT_TEMPLATE.rpartition("/")[2]] = template
    return files


def has_template(settings: Settings) -> bool:
    """Tells whether a template is mounted: the user's own, or that of a reranker."""
    return is_file(settings.engine.chat_template) or bool(settings.model.facts.template)


def _template(settings: Settings) -> str:
    stated, own = settings.engine.chat_template, settings.model.facts.template
    if is_file(stated):
        return read_template(stated)
    path = CHARTS / "serving" / "scoring" / f"{own}.jinja"
    return path.read_text(encoding="utf-8") if own else ""


def _name(settings: Settings) -> str:
    # The name changes with the content, so that replicas are replaced one by one.
    content = json.dumps(_files(settings), sort_keys=True).encode()
    return f"{settings.name}-guard-{hashlib.sha256(content).hexdigest()[:8]}"
