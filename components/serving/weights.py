"""The weights: a volume, written once by a Job that verifies what it writes."""

from __future__ import annotations

from dataclasses import replace

import pulumi
from pulumi_kubernetes.batch.v1 import Job, JobSpecArgs
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    ConfigMapVolumeSourceArgs,
    ContainerArgs,
    EmptyDirVolumeSourceArgs,
    PersistentVolumeClaim,
    PersistentVolumeClaimSpecArgs,
    PersistentVolumeClaimVolumeSourceArgs,
    PodSpecArgs,
    PodTemplateSpecArgs,
    ResourceRequirementsArgs,
    VolumeArgs,
    VolumeMountArgs,
    VolumeResourceRequirementsArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.base import KitComponent
from components.gpu_pool import GpuPool
from components.serving.environment import NO_TELEMETRY, from_secret, plain
from components.serving.labels import NAME, WEIGHTS_LABELS, described
from components.serving.security import container_security, pod_security
from components.serving.sizes import weights_volume_gib
from components.serving.timings import timings_of
from components.serving.weights_names import WeightsNames, weights_names
from components.settings_types import Settings
from components.templates import CHARTS

_SCRIPT = "fetch_weights.py"
_VOLUME = "/weights"
_SCRATCH = "/scratch"


def add_weights(
    component: KitComponent,
    settings: Settings,
    pool: GpuPool,
    *,
    namespace: pulumi.Input[str],
    service_account: pulumi.Input[str],
) -> tuple[PersistentVolumeClaim, Job]:
    """Makes the volumes, the script and the Jobs that fill them.

    Returns:
        The volume of the served weights, and the Job that must end first.
    """
    text = (CHARTS / "serving" / _SCRIPT).read_text(encoding="utf-8")
    script = component.add(
        ConfigMap(
            f"{NAME}-weights-script",
            metadata=ObjectMetaArgs(
                name=weights_names(settings, pool, text).script,
                namespace=namespace,
                labels=described(WEIGHTS_LABELS),
            ),
            data={_SCRIPT: text},
            immutable=True,
            opts=component.child_options(),
        )
    )

    def filled(revision: str) -> tuple[PersistentVolumeClaim, Job]:
        of_revision = replace(settings, model=replace(settings.model, revision=revision))
        return _add_filled_volume(
            component,
            of_revision,
            pool,
            weights_names(of_revision, pool, text),
            namespace=namespace,
            script=script.metadata.name,
            service_account=service_account,
        )

    if settings.model.previous_revision is not None:
        filled(settings.model.previous_revision)
    return filled(settings.model.revision)


def _add_filled_volume(  # noqa: PLR0913  # one argument for each object referred to
    component: KitComponent,
    settings: Settings,
    pool: GpuPool,
    names: WeightsNames,
    *,
    namespace: pulumi.Input[str],
    script: pulumi.Input[str],
    service_account: pulumi.Input[str],
) -> tuple[PersistentVolumeClaim, Job]:
    download = timings_of(settings).download
    labels = described(WEIGHTS_LABELS)
    volume = component.add(
        PersistentVolumeClaim(
            # By content also in the program: served and previous weights change places in a
            # rollback, and both volumes stay as they are.
            names.volume,
            metadata=ObjectMetaArgs(
                name=names.volume,
                namespace=namespace,
                labels=labels,
                # A class that waits for the first pod binds nothing until the Job is made, and the
                # Job is made after the volume.
                annotations={"pulumi.com/skipAwait": "true"},
            ),
            spec=PersistentVolumeClaimSpecArgs(
                access_modes=[settings.weights.access_mode],
                storage_class_name=settings.weights.storage_class,
                resources=VolumeResourceRequirementsArgs(
                    requests={"storage": f"{weights_volume_gib(settings)}Gi"}
                ),
            ),
            # Neither protected nor retained: it is a copy that can be fetched again, and a volume
            # that outlives the stack is paid and seen by no preview.
            opts=component.child_options(),
        )
    )
    job = component.add(
        Job(
            names.job,
            metadata=ObjectMetaArgs(
                name=names.job,
                namespace=namespace,
                labels=labels,
                # A Job that failed for good is made anew by the next update.
                annotations={"pulumi.com/replaceUnready": "true"},
            ),
            spec=JobSpecArgs(
                backoff_limit=4,
                active_deadline_seconds=download,
                # No ttl: a Job that removes itself looks like one that someone deleted.
                template=PodTemplateSpecArgs(
                    metadata=ObjectMetaArgs(
                        labels=labels,
                        # Moving it to another node would only begin again where it stopped.
                        annotations={"karpenter.sh/do-not-disrupt": "true"},
                    ),
                    spec=_pod(
                        settings,
                        pool,
                        claim=volume.metadata.name,
                        script=script,
                        service_account=service_account,
                    ),
                ),
            ),
            opts=component.child_options(timeout_seconds=download + 60),
        )
    )
    return volume, job


def _pod(
    settings: Settings,
    pool: GpuPool,
    *,
    claim: pulumi.Input[str],
    script: pulumi.Input[str],
    service_account: pulumi.Input[str],
) -> PodSpecArgs:
    return PodSpecArgs(
        service_account_name=service_account,
        automount_service_account_token=False,
        enable_service_links=False,
        restart_policy="Never",  # pods that failed stay, with their logs
        security_context=pod_security(),
        node_selector=dict(pool.weights_scheduling.node_selector),
        tolerations=pool.weights_scheduling.tolerations,
        containers=[_container(settings)],
        volumes=[
            VolumeArgs(
                name="weights",
                persistent_volume_claim=PersistentVolumeClaimVolumeSourceArgs(claim_name=claim),
            ),
            VolumeArgs(name="script", config_map=ConfigMapVolumeSourceArgs(name=script)),
            VolumeArgs(name="scratch", empty_dir=EmptyDirVolumeSourceArgs(size_limit="2Gi")),
        ],
    )


def _container(settings: Settings) -> ContainerArgs:
    token = settings.weights.hub_token_secret
    return ContainerArgs(
        name="fetch-weights",
        # The engine's image has the hub's library: one image less to mirror and to trust.
        image=settings.engine.image,
        image_pull_policy="IfNotPresent",
        command=["python3", f"/script/{_SCRIPT}"],
        args=[
            f"--repository={settings.model.repository}",
            f"--revision={settings.model.revision}",
            f"--directory={_VOLUME}",
        ],
        env=[
            *plain(
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
            requests={"cpu": "1", "memory": "2Gi"}, limits={"memory": "4Gi"}
        ),
        volume_mounts=[
            VolumeMountArgs(name="weights", mount_path=_VOLUME),
            VolumeMountArgs(name="script", mount_path="/script", read_only=True),
            VolumeMountArgs(name="scratch", mount_path=_SCRATCH),
        ],
    )
