"""Manifests of images: the blobs of an image, and the layout that holds them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import canonical_json, read_regular
from breakeven.bundle.registry.oras import require_digest
from breakeven.bundle.registry.references import ImageReference

LAYOUT_FILE = b'{"imageLayoutVersion":"1.0.0"}'
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"

_INDEXES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}
_MANIFESTS = {MANIFEST_TYPE, "application/vnd.docker.distribution.manifest.v2+json"}
_MANIFEST_LIMIT = 16 * 1024 * 1024
_DIGEST_LENGTH = len("sha256:") + 64


@dataclass(frozen=True, slots=True, order=True)
class Blob:
    """One blob of an image. `size` is in bytes."""

    digest: str
    size: int
    media_type: str

    def as_json(self) -> dict[str, object]:
        """Returns an OCI descriptor."""
        return {"digest": self.digest, "mediaType": self.media_type, "size": self.size}


def image_graph(
    root: str, fetch: Callable[[str], bytes], where: str
) -> tuple[Blob, tuple[Blob, ...]]:
    """Returns the root of an image and every blob that it consists of, the root included.

    Args:
        root: Digest of the index or manifest.
        fetch: Returns the bytes of a manifest by digest; its answer is checked by the caller.
        where: The image, for messages.

    Raises:
        BundleError: A manifest is of an unknown kind, or states two sizes of one blob.
    """
    found: dict[str, Blob] = {}
    open_manifests = [root]
    top: Blob | None = None
    while open_manifests:
        digest = open_manifests.pop()
        content = fetch(digest)
        manifest = _parse(content, where)
        blob = Blob(digest, len(content), str(manifest.get("mediaType", MANIFEST_TYPE)))
        top = top or blob
        if digest in found and found[digest].size not in (0, blob.size):
            msg = f"{where}: names {digest} with two sizes"
            raise BundleError(msg)
        found[digest] = blob
        for child in _children(manifest, blob.media_type, where):
            if child.media_type in _INDEXES | _MANIFESTS:
                open_manifests.append(child.digest)
            found.setdefault(child.digest, child)
    if top is None:
        msg = f"{where}: has no manifest"
        raise BundleError(msg)
    return top, tuple(sorted(found.values()))


def _parse(content: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError as error:
        msg = f"{where}: its manifest is not JSON"
        raise BundleError(msg) from error
    if not isinstance(value, dict):
        msg = f"{where}: its manifest is not a JSON object"
        raise BundleError(msg)
    return value


def _children(manifest: dict[str, Any], media_type: str, where: str) -> Iterable[Blob]:
    try:
        if media_type in _INDEXES:
            descriptors = manifest["manifests"]
        elif media_type in _MANIFESTS:
            descriptors = [manifest["config"], *manifest["layers"]]
        else:
            msg = f"{where}: its manifest is of kind {media_type}. Allowed: OCI or Docker v2 images"
            raise BundleError(msg)
        for entry in descriptors:
            blob = Blob(str(entry["digest"]), int(entry["size"]), str(entry["mediaType"]))
            if not blob.digest.startswith("sha256:") or len(blob.digest) != _DIGEST_LENGTH:
                msg = f'{where}: names a blob "{blob.digest}". Allowed: digests by sha256'
                raise BundleError(msg)
            yield blob
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{where}: its manifest lacks a part: {error}"
        raise BundleError(msg) from error


def blob_path(digest: str) -> str:
    """Returns the path of a blob in an OCI layout."""
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def layout_manifest(layout: Path, digest: str) -> bytes:
    """Returns a manifest from an OCI layout.

    Raises:
        BundleError: It is missing, or its bytes differ.
    """
    path = layout / blob_path(digest)
    content = read_regular(path, _MANIFEST_LIMIT)
    require_digest(str(path), content, digest)
    return content


def layout_index(images: Iterable[tuple[ImageReference, Blob]]) -> bytes:
    """Returns the index.json of an OCI layout; each image has its reference as its name."""
    entries = [
        {
            **root.as_json(),
            "annotations": {"org.opencontainers.image.ref.name": str(reference)},
        }
        for reference, root in sorted(images)
    ]
    return canonical_json(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": entries,
        }
    )
