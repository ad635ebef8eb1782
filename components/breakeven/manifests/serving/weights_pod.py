"""The pod that fetches weights, in the engine's image."""

from __future__ import annotations

from pulumi_kubernetes.core.v1 import (
    ConfigMapVolumeSourceArgs,
    ContainerArgs,
    EmptyDirVolumeSourceArgs,
    PersistentVolumeClaimVolumeSourceArgs,
    PodSpecArgs,
    ResourceRequirementsArgs,
    VolumeArgs,
    VolumeMountArgs,
)

import pulumi
from breakeven.manifests.gpu_pool import GpuPool
from breakeven.manifests.serving.environment import NO_TELEMETRY, env_vars, from_secret
from breakeven.manifests.serving.security import container_security, pod_security
from breakeven.manifests.serving.weights_names import Content
from breakeven.settings.stack import Settings

SCRIPT = "fetch_weights.py"
_VOLUME = "/weights"
_SCRATCH = "/scratch"


def weights_pod(  # noqa: PLR0913  # one argument for each object referred to
    settings: Settings,
    pool: GpuPool,
    content: Content,
    *,
    claim: pulumi.Input[str],
    script: pulumi.Input[str],
    service_account: pulumi.Input[str],
    check: bool,
) -> PodSpecArgs:
    """Returns the pod that fetches what a volume shall hold.

    Args:
        settings: The stack's settings.
        pool: Says on which nodes it may run.
        content: What is fetched.
        claim: The volume.
        script: The ConfigMap with the script.
        service_account: Account of the pod.
        check: Only see whether all would arrive.
    """
    return PodSpecArgs(
        service_account_name=service_account,
        automount_service_account_token=False,
        enable_service_links=False,
        restart_policy="Never",  # pods that failed stay, with their logs
        security_context=pod_security(),
        node_selector=dict(pool.weights_scheduling.node_selector),
        tolerations=pool.weights_scheduling.tolerations,
        containers=[
            _container(
                settings,
                f"fetch-{content.title}{number or ''}",
                [
                    f"--repository={repository}",
                    f"--revision={revision}",
                    f"--directory={_VOLUME}",
                    *(["--check"] if check else []),
                ],
            )
            for number, (repository, revision) in enumerate(content.sources)
        ],
        volumes=[
            VolumeArgs(
                name="weights",
                persistent_volume_claim=PersistentVolumeClaimVolumeSourceArgs(claim_name=claim),
            ),
            VolumeArgs(name="script", config_map=ConfigMapVolumeSourceArgs(name=script)),
            VolumeArgs(name="scratch", empty_dir=EmptyDirVolumeSourceArgs(size_limit="2Gi")),
        ],
    )


def _container(settings: Settings, name: str, arguments: list[str]) -> ContainerArgs:
    token = settings.weights.hub_token_secret
    return ContainerArgs(
        name=name,
        # The engine's image has the hub's library: one image less to mirror and to trust.
        image=settings.engine.image,
        image_pull_policy="IfNotPresent",
        command=["python3", f"/script/{SCRIPT}"],
        args=arguments,
        env=[
            *env_vars(
                {
                    **NO_TELEMETRY,
                    "HOME": _SCRATCH,
                    "HF_HOME": f"{_SCRATCH}/huggingface",
                    "TMPDIR": _SCRATCH,
                    # Plain downloads go on where they stopped, in little memory.
                    "HF_HUB_DISABLE_XET": "1",
                    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
                    # Its warnings repeat addresses with their signatures.
                    "HF_HUB_VERBOSITY": "error",
                }
            ),
            *([from_secret("HF_TOKEN", secret=token, key="token")] if token else []),
        ],
        security_context=container_security(read_only_root=True),
        resources=ResourceRequirementsArgs(
            requests={"cpu": "1", "memory": "2Gi", "ephemeral-storage": "1Gi"},
            limits={"memory": "4Gi", "ephemeral-storage": "3Gi"},
        ),
        # The last lines of its log are then in the pod's status, which Pulumi shows when it fails.
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[
            VolumeMountArgs(name="weights", mount_path=_VOLUME),
            VolumeMountArgs(name="script", mount_path="/script", read_only=True),
            VolumeMountArgs(name="scratch", mount_path=_SCRATCH),
        ],
    )
