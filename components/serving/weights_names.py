"""Names of the weights' volume, script and Job, derived from what is in them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from components.gpu_pool import GpuPool
from components.serving.labels import NAME
from components.serving.sizes import weights_volume_gib
from components.settings_types import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsNames:
    """Names of the volume, the script and the Job. They change when what is behind them changes."""

    volume: str
    script: str
    job: str


def weights_names(settings: Settings, pool: GpuPool, script: str) -> WeightsNames:
    """Derives the names from everything that decides what is in the volume.

    A new revision gets a new volume and a new Job; the old volume stays until the replicas that
    read it are gone, so that an update that fails leaves them as they were. With a new engine image
    or script the Job looks at the volume again, where it finds its work done; only where another
    node holds the volume is a new one filled instead, because the Job would wait for ever.
    """
    source = [settings.model.repository, settings.model.revision]
    reader = [settings.engine.image, script]
    room = [
        settings.weights.storage_class,
        settings.weights.access_mode,
        str(weights_volume_gib(settings)),
    ]
    can_look_again = settings.shared_weights or pool.fetches_where_it_serves
    volume = _short_hash(*source, *room, *(() if can_look_again else reader))
    return WeightsNames(
        volume=f"{NAME}-weights-{volume}",
        script=f"{NAME}-weights-script-{_short_hash(script)}",
        job=f"{NAME}-weights-{_short_hash(volume, *source, *reader)}",
    )


def _short_hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]
