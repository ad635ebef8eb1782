"""What pods may do: slightly less than Kubernetes' pod security standard "restricted" allows."""

from __future__ import annotations

from typing import Any

# Above 10,000, so that it is not a user of the host. The engine image knows no such user:
# USER_ENVIRONMENT stands in for the missing entry in /etc/passwd.
USER = 10001

USER_ENVIRONMENT = {"USER": "vllm", "LOGNAME": "vllm"}
"""Without it torch looks for the user's name in /etc/passwd and dies on import (vllm#44548)."""


def pod_security() -> dict[str, Any]:
    """Returns the security context of a pod; its group owns the volumes."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        # Otherwise every start walks through all files of the volume.
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security(*, read_only_root: bool) -> dict[str, Any]:
    """Returns the security context of a container."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": read_only_root,
    }
