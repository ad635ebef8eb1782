"""Pushes the images of an unpacked bundle to a registry, and reads them back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from breakeven.bundle.errors import BundleError
from breakeven.bundle.lock import Lock, LockedImage
from breakeven.bundle.pack import IMAGES
from breakeven.bundle.registry.oras import Oras

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """One image in the registry.

    Attributes:
        reference: Name of the image in a stack inside the boundary.
        size: Bytes of all its blobs.
        was_there: Whether the registry already had all of it.
    """

    reference: str
    size: int
    was_there: bool


def load(lock: Lock, folder: Path, registry: str, say: Say) -> Iterator[Loaded]:
    """Pushes every image that the registry lacks, and checks each by reading it back.

    Yields each image once it is pushed, so that a caller can record it before the next fails.

    Existing blobs are not sent again, so an interrupted run continues where it stopped. Tags
    are set last, so nothing half-pushed can be pulled by tag; stacks pull by digest.

    Args:
        lock: Of the bundle.
        folder: Where it was unpacked, and checked.
        registry: HOST[:PORT][/PREFIX].
        say: Called with each progress line.

    Raises:
        BundleError: The registry fails, or returns other bytes than were sent.
    """
    oras = Oras.find()
    for image in lock.images:
        yield _load(oras, image, folder / IMAGES, registry, say)


def _load(oras: Oras, image: LockedImage, layout: Path, registry: str, say: Say) -> Loaded:
    reference = image.reference
    mirrored = reference.mirrored(registry)
    there = _has_all(oras, image, registry)
    if there:
        say(f"already there: {mirrored}")
    else:
        say(f"pushing {mirrored}, {image.size / 1e9:.2f} GB")
        oras.push(layout, reference, registry)
        _require_all(oras, image, registry)
    return Loaded(mirrored, image.size, there)


def _has_all(oras: Oras, image: LockedImage, registry: str) -> bool:
    try:
        _require_all(oras, image, registry)
    except BundleError:
        return False
    return True


def _require_all(oras: Oras, image: LockedImage, registry: str) -> None:
    """Reads every manifest back by digest and asks for the size of every other blob."""
    reference = image.reference
    host, _, prefix = registry.partition("/")
    path = reference.repository_in(prefix).removeprefix("/")
    inside = replace(reference, host=host, path=path)
    for blob in image.blobs:
        if _is_manifest(blob.media_type):
            oras.manifest(inside, blob.digest)
            continue
        size = oras.blob_size(f"{host}/{path}", blob.digest)
        if size != blob.size:
            msg = (
                f"{host}/{path}@{blob.digest}: the registry has {size:,} bytes instead of "
                f"{blob.size:,}. Delete it there, then repeat"
            )
            raise BundleError(msg)


def _is_manifest(media_type: str) -> bool:
    return "manifest" in media_type or "image.index" in media_type
