"""The weights: a volume, filled once by a Job that verifies what it writes.

Another Job checks within minutes whether the first one can succeed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from breakeven.manifests.gpu_pool.pool import Pool
from breakeven.manifests.resource import Resource, stated
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
from breakeven.settings.stack import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A volume, the Job that checks whether it can be filled, and the Job that fills it."""

    volume: Resource
    check: Resource
    job: Resource

    @property
    def claim(self) -> str:
        """The volume's name in the cluster."""
        return str(self.volume.manifest["metadata"]["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The volumes of a replica.

    `model` is None if an image holds the weights, `adapters` without LoRA adapters, `previous` if
    no earlier revision is kept, and `script` if nothing is fetched.
    """

    script: Resource | None = None
    previous: Filled | None = None
    model: Filled | None = None
    adapters: Filled | None = None

    @property
    def resources(self) -> Iterator[Resource]:
        """All of them, in the order of registration."""
        if self.script is not None:
            yield self.script
        for filled in (self.previous, self.model, self.adapters):
            if filled is not None:
                yield from (filled.volume, filled.check, filled.job)

    @property
    def volumes(self) -> list[Resource]:
        """Volumes that the replicas mount."""
        return [filled.volume for filled in (self.model, self.adapters) if filled is not None]

    @property
    def jobs(self) -> list[Resource]:
        """Jobs that must end first."""
        return [filled.job for filled in (self.model, self.adapters) if filled is not None]


def weights_of(settings: Settings, pool: Pool, account: Resource) -> Weights:
    """Returns the volumes, the script and the Jobs that fill them; or nothing.

    Args:
        settings: The stack's settings.
        pool: Nodes that the Jobs may run on.
        account: Their service account.
    """
    if not settings.fetches_weights:
        return Weights()
    text = (CHARTS / "serving" / SCRIPT).read_text(encoding="utf-8")
    model = settings.model
    served = weights_content(settings, model.revision)
    script = _script(settings, weights_names(served, settings, pool, text).script, text)

    def fill(content: Content) -> Filled:
        names = weights_names(content, settings, pool, text)
        return _filled_volume(settings, pool, content, names, script=script, account=account)

    previous = model.previous_revision
    return Weights(
        script=script,
        previous=None if previous is None else fill(weights_content(settings, previous)),
        model=None if settings.weights_are_there else fill(served),
        adapters=fill(adapters_content(settings)) if model.lora_adapters else None,
    )


def _script(settings: Settings, name: str, text: str) -> Resource:
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": settings.network.namespace,
            "labels": described(weights_labels(settings)),
        },
        "data": {SCRIPT: text},
        "immutable": True,
    }
    return Resource(name=f"{settings.name}-weights-script", manifest=manifest)


def _filled_volume(  # noqa: PLR0913  # one argument for each object referred to
    settings: Settings,
    pool: Pool,
    content: Content,
    names: WeightsNames,
    *,
    script: Resource,
    account: Resource,
) -> Filled:
    volume = _volume(settings, content, names)

    def job(name: str, *, check: bool, seconds: int, after: tuple[Resource, ...]) -> Resource:
        labels = described(weights_labels(settings))
        manifest = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": name,
                "namespace": settings.network.namespace,
                "labels": labels,
                # The next update creates a finally failed Job again.
                "annotations": {"pulumi.com/replaceUnready": "true"},
            },
            "spec": {
                "backoffLimit": 4,
                "activeDeadlineSeconds": seconds,
                # No ttl: a Job that removes itself looks like one that someone deleted.
                "template": {
                    "metadata": {
                        "labels": labels,
                        # On another node it would only continue where it stopped.
                        "annotations": {"karpenter.sh/do-not-disrupt": "true"},
                    },
                    "spec": weights_pod(
                        settings,
                        pool,
                        content,
                        claim=names.volume,
                        script=script.manifest["metadata"]["name"],
                        service_account=account.manifest["metadata"]["name"],
                        check=check,
                    ),
                },
            },
        }
        return Resource(
            name=name,
            manifest=manifest,
            depends_on=tuple(each.key for each in (account, script, volume, *after)),
            timeout_seconds=seconds + 60,
        )

    # A pod that cannot start looks to Kubernetes like one that downloads, which may take hours. The
    # same pod with nothing to download must have started, and ended, much sooner.
    checked = job(names.check, check=True, seconds=CHECK, after=())
    seconds = download_seconds(content.file_bytes)
    fetched = job(names.job, check=False, seconds=seconds, after=(checked,))
    return Filled(volume=volume, check=checked, job=fetched)


def _volume(settings: Settings, content: Content, names: WeightsNames) -> Resource:
    spec = {
        "accessModes": [settings.weights.access_mode],
        "storageClassName": settings.weights.storage_class,
        "resources": {"requests": {"storage": f"{content.gibibytes}Gi"}},
    }
    manifest = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": names.volume,
            "namespace": settings.network.namespace,
            "labels": described(weights_labels(settings)),
            # A class that waits for the first pod binds nothing until the Job is made, and the
            # Job is made after the volume.
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        "spec": stated(spec),
    }
    # By content also in the program: served and previous weights change places in a rollback, and
    # both volumes stay as they are. Neither protected nor retained: it is a copy that can be
    # fetched again, and a volume that outlives the stack is paid and seen by no preview.
    return Resource(name=names.volume, manifest=manifest)
