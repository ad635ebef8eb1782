"""A model as an OCI image, one layer per file: any registry holds it, and a pod can mount it.

Layers are not compressed: weights do not shrink, and their digests follow from the files alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from breakeven.bundle.archive.tar_format import END, file_header, folder_header, padding
from breakeven.bundle.files import blocks, sha256_of_bytes
from breakeven.bundle.registry.oci import MANIFEST_TYPE, Blob
from breakeven.bundle.registry.references import ImageReference

HOST = "models.breakeven.local"
"""In place of a registry, because a model's image is made here."""

_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"


@dataclass(frozen=True, slots=True, order=True)
class ModelFile:
    """One file of a model and its layer. Sizes in bytes."""

    name: str
    size: int
    sha256: str
    layer: Blob


@dataclass(frozen=True, slots=True)
class ModelImage:
    """The image of a model."""

    reference: ImageReference
    root: Blob
    documents: tuple[tuple[Blob, bytes], ...]

    @property
    def small_blobs(self) -> dict[str, bytes]:
        """Manifest and configuration by digest."""
        return {blob.digest: content for blob, content in self.documents}


def read_model_file(path: Path, revision: str) -> ModelFile:
    """Reads a file of a model once, and returns its checksum and that of its layer."""
    content, layer = hashlib.sha256(), hashlib.sha256()
    size = path.stat().st_size
    with path.open("rb") as stream:
        layer.update(_before(path.name, size, revision))
        for block in blocks(stream):
            content.update(block)
            layer.update(block)
    layer.update(_after(size))
    length = len(_before(path.name, size, revision)) + size + len(_after(size))
    blob = Blob(f"sha256:{layer.hexdigest()}", length, _LAYER_TYPE)
    return ModelFile(path.name, size, content.hexdigest(), blob)


@contextmanager
def open_layer(path: Path, size: int, revision: str) -> Iterator[Iterator[bytes]]:
    """Opens the layer that holds a file, without writing the layer to disk."""
    with path.open("rb") as stream:
        yield _layer(stream, path.name, size, revision)


@contextmanager
def open_file_in_layer(layer: Path, file: ModelFile, revision: str) -> Iterator[Iterator[bytes]]:
    """Opens a model's file in its layer."""
    with layer.open("rb") as stream:
        stream.seek(len(_before(file.name, file.size, revision)))
        yield blocks(stream, file.size)


def _layer(stream: BinaryIO, name: str, size: int, revision: str) -> Iterator[bytes]:
    yield _before(name, size, revision)
    yield from blocks(stream, size)
    yield _after(size)


def _before(name: str, size: int, revision: str) -> bytes:
    return folder_header(revision) + file_header(f"{revision}/{name}", size)


def _after(size: int) -> bytes:
    return padding(size) + END


def model_image(name: str, revision: str, files: tuple[ModelFile, ...]) -> ModelImage:
    """Returns the image of a model's files, which are below /REVISION in it."""
    configuration = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": {"org.opencontainers.image.revision": revision}},
            "rootfs": {"type": "layers", "diff_ids": [file.layer.digest for file in files]},
        }
    )
    config = Blob(f"sha256:{sha256_of_bytes(configuration)}", len(configuration), _CONFIG_TYPE)
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": config.as_json(),
            "layers": [file.layer.as_json() for file in files],
        }
    )
    root = Blob(f"sha256:{sha256_of_bytes(manifest)}", len(manifest), MANIFEST_TYPE)
    reference = ImageReference(HOST, f"models/{name}", revision, root.digest)
    return ModelImage(reference, root, ((root, manifest), (config, configuration)))


def _json(value: dict[str, object]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
