"""What pods may do: Kubernetes' pod security standard "restricted", and a little less."""

from __future__ import annotations

from pulumi_kubernetes.core.v1 import (
    CapabilitiesArgs,
    PodSecurityContextArgs,
    SeccompProfileArgs,
    SecurityContextArgs,
)

# Above 10,000, so that it is no user of the host. The engine image knows no such user:
# USER_ENVIRONMENT stands in for the missing entry in /etc/passwd.
USER = 10001

USER_ENVIRONMENT = {"USER": "vllm", "LOGNAME": "vllm"}
"""Without it torch looks for the user's name in /etc/passwd and dies on import (vllm#44548)."""


def pod_security() -> PodSecurityContextArgs:
    """Returns the security context of a pod; its group owns the volumes."""
    return PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=USER,
        run_as_group=USER,
        fs_group=USER,
        # Else every start walks through all files of the volume.
        fs_group_change_policy="OnRootMismatch",
        seccomp_profile=SeccompProfileArgs(type="RuntimeDefault"),
    )


def container_security(*, read_only_root: bool) -> SecurityContextArgs:
    """Returns the security context of a container."""
    return SecurityContextArgs(
        allow_privilege_escalation=False,
        capabilities=CapabilitiesArgs(drop=["ALL"]),
        read_only_root_filesystem=read_only_root,
    )
