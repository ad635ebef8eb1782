"""The lock: the exact contents of a stack's bundle, by digest and size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

from breakeven.bundle.archive.manifest import Manifest
from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import NOTHING_ELSE, canonical_json, read_regular, sha256_of_bytes
from breakeven.bundle.registry.model_image import ModelFile
from breakeven.bundle.registry.oci import Blob
from breakeven.bundle.registry.references import ImageReference, parse_reference
from breakeven.documents import first_mistake

FORMAT: Final = "breakeven-lock/1"
LIMIT = 64 * 1024 * 1024


def _pinned(value: Any) -> ImageReference:
    reference = parse_reference(value) if isinstance(value, str) else None
    if reference is None:
        msg = "HOST/PATH:TAG@sha256:DIGEST"
        raise ValueError(msg)
    return reference


PinnedReference: TypeAlias = Annotated[
    ImageReference,
    PlainValidator(_pinned),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "description": "HOST/PATH:TAG@sha256:DIGEST"}),
]
"""An image reference, written as one text."""


@dataclass(frozen=True, slots=True, order=True)
class LockedFile:
    """One file of the bundle that is not a blob of an image.

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

    __pydantic_config__ = NOTHING_ELSE

    reference: PinnedReference
    root: Blob
    blobs: tuple[Blob, ...]
    used_by: Annotated[tuple[str, ...], Field(alias="usedBy")]

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
        platform: Machine type and Python version of the wheels and programs.
        images: Sorted by reference.
        model: The weights.
        files: Wheels, programs, custom resource definitions and this program; by path.
        custom_resources: GROUP/KIND that the cluster must know, with the file that defines each;
            None if the cluster already has it.
        format: Of the file, with its version.
    """

    __pydantic_config__ = NOTHING_ELSE

    stack: str
    release: Annotated[int, Field(ge=1)]
    version: str
    platform: str
    images: tuple[LockedImage, ...]
    model: LockedModel
    files: tuple[LockedFile, ...]
    custom_resources: Annotated[Mapping[str, str], Field(alias="customResources")]
    format: Literal["breakeven-lock/1"] = FORMAT

    def as_bytes(self) -> bytes:
        """Returns the lock as JSON, the same bytes for the same lock."""
        return canonical_json(LOCK.dump_python(self, by_alias=True, warnings="none"))

    @property
    def digest(self) -> str:
        """SHA-256 of the lock as hexadecimal digits."""
        return sha256_of_bytes(self.as_bytes())

    def blobs(self) -> dict[str, Blob]:
        """Returns every blob of every image, each once, by digest."""
        return {blob.digest: blob for image in self.images for blob in image.blobs}


LOCK: Final = TypeAdapter(Lock)
"""Writes and reads locks."""


def read_lock(path: Path) -> Lock:
    """Reads a lock file.

    Raises:
        BundleError: It is missing, or this program would not write it so.
    """
    missing = "lock file not found. Create it: breakeven bundle plan STACK --model FOLDER"
    content = read_regular(path, LIMIT, missing)
    return parse_lock(content, str(path))


def parse_lock(content: bytes, where: str) -> Lock:
    """Reads a lock.

    Raises:
        BundleError: This program would not write it so.
    """
    try:
        lock = LOCK.validate_json(content, strict=True)
    except ValidationError as error:
        msg = (
            f"{where}: not a lock of this version ({first_mistake(error)}). Create it again: "
            "breakeven bundle plan"
        )
        raise BundleError(msg) from error
    if lock.as_bytes() != content:
        msg = f"{where}: edited by hand. Create it again: breakeven bundle plan"
        raise BundleError(msg)
    return lock


def lock_of(manifest: Manifest, content: bytes, where: str) -> Lock:
    """Reads the lock that a bundle holds.

    Raises:
        BundleError: It is not a lock, or not the one that the signed manifest names.
    """
    lock = parse_lock(content, where)
    named = (manifest.lock, manifest.stack, manifest.release)
    if (lock.digest, lock.stack, lock.release) != named:
        msg = f"{where}: not the lock in the bundle's manifest. Pack the bundle again"
        raise BundleError(msg)
    return lock
