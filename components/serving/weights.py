"""The weights: a volume, written once by a Job that verifies what it writes."""

from __future__ import annotations

from dataclasses import dataclass

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
from components.serving.labels import described, weights_labels
from components.serving.security import container_security, pod_security
from components.serving.timings import download_seconds
from components.serving.weights_names import (
    Content,
    WeightsNames,
    adapters_content,
    weights_content,
    weights_names,
)
from components.settings_types import Settings
from components.templates import CHARTS

_SCRIPT = "fetch_weights.py"
_VOLUME = "/weights"
_SCRATCH = "/scratch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A volume, and the Job that must end before it is read."""

    volume: PersistentVolumeClaim
    job: Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The volumes of a replica.

    `model` is None where an image holds the weights, `adapters` without LoRA adapters.
    """

    model: Filled | None
    adapters: Filled | None

    @property
    def jobs(self) -> list[Job]:
        """What must end first."""
        return [filled.job for filled in (self.model, self.adapters) if filled is not None]


def add_weights(
    component: KitComponent,
    settings: Settings,
    pool: GpuPool,
    *,
    namespace: pulumi.Input[str],
    service_account: pulumi.Input[str],
) -> Weights:
    """Makes the volumes, the script and the Jobs that fill them; nothing where none is needed."""
    if not settings.fetches_weights:
        return Weights(model=None, adapters=None)
    text = (CHARTS / "serving" / _SCRIPT).read_text(encoding="utf-8")
    model = settings.model
    served = weights_content(settings, model.revision)
    script = component.add(
        ConfigMap(
            f"{settings.name}-weights-script",
            metadata=ObjectMetaArgs(
                name=weights_names(served, settings, pool, text).script,
                namespace=namespace,
                labels=described(weights_labels(settings)),
            ),
            data={_SCRIPT: text},
            immutable=True,
            opts=component.child_options(),
        )
    )

    def fill(content: Content) -> Filled:
        return _add_filled_volume(
            component,
            settings,
            pool,
            content,
            weights_names(content, settings, pool, text),
            namespace=namespace,
            script=script.metadata.name,
            service_account=service_account,
        )

    if model.previous_revision is not None:
        fill(weights_content(settings, model.previous_revision))
    return Weights(
        model=None if settings.weights_are_there else fill(served),
        adapters=fill(adapters_content(settings)) if model.adapters else None,
    )


def _add_filled_volume(  # noqa: PLR0913  # one argument for each object referred to
    component: KitComponent,
    settings: Settings,
    pool: GpuPool,
    content: Content,
    names: WeightsNames,
    *,
    namespace: pulumi.Input[str],
    script: pulumi.Input[str],
    service_account: pulumi.Input[str],
) -> Filled:
    download = download_seconds(content.file_bytes)
    labels = described(weights_labels(settings))
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
                    requests={"storage": f"{content.gibibytes}Gi"}
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
                        content,
                        claim=volume.metadata.name,
                        script=script,
                        service_account=service_account,
                    ),
                ),
            ),
            opts=component.child_options(timeout_seconds=download + 60),
        )
    )
    return Filled(volume=volume, job=job)


def _pod(  # noqa: PLR0913  # as above
    settings: Settings,
    pool: GpuPool,
    content: Content,
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
        containers=[
            _container(settings, f"fetch-{content.title}{number or ''}", repository, revision)
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


def _container(settings: Settings, name: str, repository: str, revision: str) -> ContainerArgs:
    token = settings.weights.hub_token_secret
    return ContainerArgs(
        name=name,
        # The engine's image has the hub's library: one image less to mirror and to trust.
        image=settings.engine.image,
        image_pull_policy="IfNotPresent",
        # What was wrong is the last line of the log; so it is in the pod's status, too, which the
        # engine shows while it waits.
        termination_message_policy="FallbackToLogsOnError",
        command=["python3", f"/script/{_SCRIPT}"],
        args=[
            f"--repository={repository}",
            f"--revision={revision}",
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
            requests={"cpu": "1", "memory": "2Gi", "ephemeral-storage": "1Gi"},
            limits={"memory": "4Gi", "ephemeral-storage": "3Gi"},
        ),
        volume_mounts=[
            VolumeMountArgs(name="weights", mount_path=_VOLUME),
            VolumeMountArgs(name="script", mount_path="/script", read_only=True),
            VolumeMountArgs(name="scratch", mount_path=_SCRATCH),
        ],
    )
