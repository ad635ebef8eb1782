"""The lock: what exactly a bundle of a stack consists of, by digest and size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import canonical_json, read_regular, sha256_of_bytes
from breakeven.bundle.manifest import Manifest
from breakeven.bundle.model_image import ModelFile
from breakeven.bundle.oci import Blob
from breakeven.bundle.references import ImageReference, parse_reference

FORMAT = "breakeven-lock/1"
LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, order=True)
class LockedFile:
    """One file of the bundle that is no blob of an image.

    Attributes:
        path: In the bundle.
        size: In bytes.
        sha256: As hexadecimal digits.
        executable: Whether it is a program.
    """

    path: str
    size: int
    sha256: str
    executable: bool = False


@dataclass(frozen=True, slots=True)
class LockedImage:
    """One image with all its platforms.

    Attributes:
        reference: As the stack's resources name it.
        root: Index or manifest.
        blobs: Everything that it consists of, the root included.
        used_by: Resources that name it.
    """

    reference: ImageReference
    root: Blob
    blobs: tuple[Blob, ...]
    used_by: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of all blobs."""
        return sum(blob.size for blob in self.blobs)


@dataclass(frozen=True, slots=True)
class LockedModel:
    """The model: where it comes from, its files, and the image that carries them."""

    name: str
    repository: str
    revision: str
    licence: str
    files: tuple[ModelFile, ...]


@dataclass(frozen=True, slots=True)
class Lock:
    """Everything that a stack needs.

    Attributes:
        stack: Name of its stack file.
        release: Number of this bundle among those of the stack, from 1; a newer one has a higher.
        version: Of this program.
        platform: Machine and Python for which wheels and programs are.
        images: Sorted by reference.
        model: The weights.
        files: Wheels, programs, custom resource definitions and this program; by path.
        custom_resources: GROUP/KIND that the cluster must know, with the file that defines each,
            or nothing where the cluster already does.
    """

    stack: str
    release: int
    version: str
    platform: str
    images: tuple[LockedImage, ...]
    model: LockedModel
    files: tuple[LockedFile, ...]
    custom_resources: Mapping[str, str]

    def as_bytes(self) -> bytes:
        """Returns the lock as JSON, the same bytes for the same lock."""
        return canonical_json(
            {
                "format": FORMAT,
                "stack": self.stack,
                "release": self.release,
                "version": self.version,
                "platform": self.platform,
                "images": [
                    {
                        "reference": str(image.reference),
                        "root": asdict(image.root),
                        "blobs": [asdict(blob) for blob in image.blobs],
                        "usedBy": list(image.used_by),
                    }
                    for image in self.images
                ],
                "model": asdict(self.model),
                "files": [asdict(file) for file in self.files],
                "customResources": dict(self.custom_resources),
            }
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the lock as hexadecimal digits."""
        return sha256_of_bytes(self.as_bytes())

    def blobs(self) -> dict[str, Blob]:
        """Returns every blob of every image, each once, by digest."""
        return {blob.digest: blob for image in self.images for blob in image.blobs}


def read_lock(path: Path) -> Lock:
    """Reads a lock file.

    Raises:
        BundleError: It is missing, or not as this program writes it.
    """
    content = read_regular(path, LIMIT)
    return parse_lock(content, str(path))


def parse_lock(content: bytes, where: str) -> Lock:
    """Reads a lock.

    Raises:
        BundleError: It is not as this program writes it.
    """
    try:
        value = json.loads(content)
        lock = _lock(value)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        msg = f"{where}: is no lock of this program ({error}). Make it anew: breakeven bundle plan"
        raise BundleError(msg) from error
    if value.get("format") != FORMAT or lock.as_bytes() != content:
        msg = (
            f"{where}: was changed by hand or is of another version. "
            "Make it anew: breakeven bundle plan"
        )
        raise BundleError(msg)
    return lock


def lock_of(manifest: Manifest, content: bytes, where: str) -> Lock:
    """Reads the lock that a bundle holds.

    Raises:
        BundleError: It is no lock, or not the one that the signed manifest names.
    """
    lock = parse_lock(content, where)
    named = (manifest.lock, manifest.stack, manifest.release)
    if (lock.digest, lock.stack, lock.release) != named:
        msg = f"{where}: is not the lock that the bundle's manifest names. Pack it again"
        raise BundleError(msg)
    return lock


def _lock(value: Mapping[str, Any]) -> Lock:
    model = value["model"]
    if type(value["release"]) is not int or value["release"] < 1:
        msg = f"release is {value['release']!r}, not a number from 1"
        raise ValueError(msg)
    return Lock(
        stack=value["stack"],
        release=value["release"],
        version=value["version"],
        platform=value["platform"],
        images=tuple(_image(entry) for entry in value["images"]),
        model=LockedModel(
            name=model["name"],
            repository=model["repository"],
            revision=model["revision"],
            licence=model["licence"],
            files=tuple(
                ModelFile(entry["name"], entry["size"], entry["sha256"], Blob(**entry["layer"]))
                for entry in model["files"]
            ),
        ),
        files=tuple(LockedFile(**entry) for entry in value["files"]),
        custom_resources=value["customResources"],
    )


def _image(entry: Mapping[str, Any]) -> LockedImage:
    reference = parse_reference(entry["reference"])
    if reference is None:
        msg = f"{entry['reference']} is not pinned"
        raise ValueError(msg)
    return LockedImage(
        reference=reference,
        root=Blob(**entry["root"]),
        blobs=tuple(Blob(**blob) for blob in entry["blobs"]),
        used_by=tuple(entry["usedBy"]),
    )
