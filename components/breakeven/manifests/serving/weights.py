"""The weights: a volume, written once by a Job that verifies what it writes.

Another Job before it sees within minutes whether the first one can do its work.
"""

from __future__ import annotations

from dataclasses import dataclass

from pulumi_kubernetes.batch.v1 import Job, JobSpecArgs
from pulumi_kubernetes.core.v1 import (
    ConfigMap,
    PersistentVolumeClaim,
    PersistentVolumeClaimSpecArgs,
    PodTemplateSpecArgs,
    VolumeResourceRequirementsArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

import pulumi
from breakeven.manifests.gpu_pool import GpuPool
from breakeven.manifests.serving.labels import described, weights_labels
from breakeven.manifests.serving.timings import CHECK, download_seconds
from breakeven.manifests.serving.weights_names import (
    Content,
    WeightsNames,
    adapters_content,
    weights_content,
    weights_names,
)
from breakeven.manifests.serving.weights_pod import SCRIPT, weights_pod
from breakeven.manifests.templates import CHARTS
from breakeven.resources.component import KitComponent
from breakeven.settings.stack import Settings


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
    text = (CHARTS / "serving" / SCRIPT).read_text(encoding="utf-8")
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
            data={SCRIPT: text},
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
        adapters=fill(adapters_content(settings)) if model.lora_adapters else None,
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

    def job(name: str, *, check: bool, seconds: int, after: pulumi.Resource) -> Job:
        return component.add(
            Job(
                name,
                metadata=ObjectMetaArgs(
                    name=name,
                    namespace=namespace,
                    labels=labels,
                    # A Job that failed for good is made anew by the next update.
                    annotations={"pulumi.com/replaceUnready": "true"},
                ),
                spec=JobSpecArgs(
                    backoff_limit=4,
                    active_deadline_seconds=seconds,
                    # No ttl: a Job that removes itself looks like one that someone deleted.
                    template=PodTemplateSpecArgs(
                        metadata=ObjectMetaArgs(
                            labels=labels,
                            # Moving it to another node would only begin again where it stopped.
                            annotations={"karpenter.sh/do-not-disrupt": "true"},
                        ),
                        spec=weights_pod(
                            settings,
                            pool,
                            content,
                            claim=volume.metadata.name,
                            script=script,
                            service_account=service_account,
                            check=check,
                        ),
                    ),
                ),
                opts=component.child_options(depends_on=[after], timeout_seconds=seconds + 60),
            )
        )

    # A pod that can't start looks to Kubernetes like one that downloads, which may take hours. The
    # same pod with nothing to download must have started, and ended, much sooner.
    checked = job(names.check, check=True, seconds=CHECK, after=volume)
    fetched = job(
        names.job, check=False, seconds=download_seconds(content.file_bytes), after=checked
    )
    return Filled(volume=volume, job=fetched)
