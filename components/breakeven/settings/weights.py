"""Reads where the weights lie, and refuses places that can't hold them."""

from __future__ import annotations

from breakeven.settings.fields import (
    DIGEST,
    HOST_ALLOWED,
    IMAGE,
    SUBDOMAIN,
    SUBDOMAIN_ALLOWED,
)
from breakeven.settings.groups import WeightsSettings
from breakeven.settings.reader import ConfigReader
from breakeven.settings.stack import Settings

_BESIDE_GIGABYTES = 40
"""What a node's root volume holds beside an image of weights: the system, the engine's image
unpacked (some 20 GB), caches."""


def read_weights(reader: ConfigReader) -> WeightsSettings:
    """Reads the keys that say where the weights lie."""
    token = reader.text("hubTokenSecret", pattern=f"({SUBDOMAIN})?", allowed=SUBDOMAIN_ALLOWED)
    image = reader.text(
        "weightsImage",
        pattern=rf"({IMAGE}(:[\w.-]+)?{DIGEST})?",
        allowed="Allowed: HOST/PATH[:TAG]@sha256:DIGEST, or empty; the digest is what verifies "
        f"it; {HOST_ALLOWED}",
    )
    return WeightsSettings(
        storage_class=reader.text(
            "weightsStorageClass", pattern=r"[a-z0-9][a-z0-9.-]*", allowed=SUBDOMAIN_ALLOWED
        ),
        access_mode=reader.choice("weightsAccessMode", ("ReadWriteOnce", "ReadWriteMany")),
        image=image or None,
        claim=reader.text("weightsClaim", pattern=f"({SUBDOMAIN})?", allowed=SUBDOMAIN_ALLOWED)
        or None,
        read_megabytes_per_second=reader.integer("weightsReadMegabytesPerSecond", 10, 100_000),
        hub_token_secret=token or None,
    )


def check_weights(settings: Settings, reader: ConfigReader) -> None:
    """Rejects an image of weights with what it takes the place of, or with too small a disk."""
    model, pool = settings.model, settings.pool
    if settings.weights.image is None or not reader.usable("weightsImage"):
        return
    if model.previous_revision is not None and reader.usable("previousModelRevision"):
        reader.reject(
            "previousModelRevision",
            "a commit beside weightsImage",
            "Leave it out: to go back is to name the earlier image",
        )
    if not reader.usable("model", "precision", "pool", "nodeVolumeGigabytes"):
        return
    needed = -(-model.repository_bytes // 10**9) + _BESIDE_GIGABYTES
    if pool.kind.root_volume_class and pool.node_volume_gigabytes < needed:
        reader.reject(
            "nodeVolumeGigabytes",
            f"{pool.node_volume_gigabytes} GB, but each node unpacks the weights of weightsImage",
            f"Allowed: {needed} or more",
        )
