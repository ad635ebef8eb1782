"""Names of a volume of weights, its script and its Jobs, derived from their content."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from breakeven.catalog.vocabularies import HARMONY, VocabularyFile
from breakeven.manifests.gpu_pool.pool import Pool
from breakeven.manifests.serving.sizes import adapters_volume_gib, weights_volume_gib
from breakeven.settings.stack import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Content of a volume.

    Attributes:
        title: Part of its name.
        sources: Repositories and their commits.
        file_bytes: Size of their files, for the time limit of the download.
        gibibytes: Size of the volume.
        is_model: Whether it is the model itself, not adapters of it.
        further: Files from elsewhere that are put into each commit's folder.
    """

    title: str
    sources: tuple[tuple[str, str], ...]
    file_bytes: int
    gibibytes: int
    is_model: bool
    further: tuple[VocabularyFile, ...] = ()


def weights_content(settings: Settings, revision: str) -> Content:
    """Returns the content of the volume with a revision of the model's weights, and its draft."""
    draft = settings.engine.speculation.model
    return Content(
        title="weights",
        sources=(
            (settings.model.repository, revision),
            *([(draft.repository, draft.revision)] if draft else []),
        ),
        file_bytes=settings.model.repository_bytes + settings.engine.speculation.draft_bytes,
        gibibytes=weights_volume_gib(settings),
        is_model=True,
        further=HARMONY if settings.model.facts.fetches_vocabulary else (),
    )


def adapters_content(settings: Settings) -> Content:
    """Returns the content of the volume with the LoRA adapters, in one folder for each commit."""
    sources = {each.revision: each.repository for each in settings.model.lora_adapters}
    return Content(
        title="adapters",
        sources=tuple((repository, revision) for revision, repository in sources.items()),
        file_bytes=2 * settings.model.adapter_bytes,
        gibibytes=adapters_volume_gib(settings),
        is_model=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsNames:
    """Names of the volume, the script and the Jobs, which change with their content."""

    volume: str
    script: str
    check: str
    job: str


def weights_names(content: Content, settings: Settings, pool: Pool, script: str) -> WeightsNames:
    """Derives the names from everything that determines the volume's content.

    A new revision gets a new volume and a new Job; the old volume stays until the replicas that
    read it are gone, so that an update that fails leaves them as they were. With a new engine image
    or script the Job looks at the volume again, where it finds its work done; only where another
    node holds the volume is a new one filled instead, because the Job would wait forever.
    """
    source = [part for pair in content.sources for part in pair]
    source += [file.sha256 for file in content.further]
    reader = [settings.engine.image, script]
    room = [
        settings.weights.storage_class,
        settings.weights.access_mode,
        str(content.gibibytes),
    ]
    can_look_again = settings.shared_weights or pool.fetches_where_it_serves
    volume = _short_hash(*source, *room, *(() if can_look_again else reader))
    work = _short_hash(volume, *source, *reader)
    return WeightsNames(
        volume=f"{settings.name}-{content.title}-{volume}",
        script=f"{settings.name}-weights-script-{_short_hash(script)}",
        check=f"{settings.name}-{content.title}-check-{work}",
        job=f"{settings.name}-{content.title}-{work}",
    )


def _short_hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]
