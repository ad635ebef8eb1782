"""The manifest of a bundle, which is signed: every file with checksum and size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import not_
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from breakeven.bundle.archive.tar_format import END, file_header, padding
from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import NOTHING_ELSE, canonical_json, sha256_of_bytes
from breakeven.documents import first_mistake

FORMAT: Final = "breakeven-bundle/1"
MANIFEST = "bundle.json"
SIGNATURE = "bundle.json.sig"
SUMS = "bundle.sums"
"""Checksums of manifest, parts and `unpack.py`, as sha256sum writes and reads them."""
SUMS_SIGNATURE = "bundle.sums.sig"
FIRST_TIME = "unpack.py"
"""The program that checks and unpacks a bundle before anything is installed."""
LIMIT = 64 * 1024 * 1024
SIGNATURE_BYTES = 64

Digest: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 as hexadecimal digits."""

_SEGMENT = re.compile(r"[A-Za-z0-9_@+][A-Za-z0-9._@+!-]*")
_BLOB = "images/blobs/sha256/"


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One file of a bundle.

    Attributes:
        path: Relative, without `.` and `..`.
        size: In bytes.
        sha256: As hexadecimal digits.
        executable: Whether it is a program.
        in_base: Whether it is in the base of a delta instead.
    """

    __pydantic_config__ = NOTHING_ELSE

    path: str
    size: Annotated[int, Field(ge=0)]
    sha256: Digest
    executable: Annotated[bool, Field(exclude_if=not_)] = False
    in_base: Annotated[bool, Field(alias="inBase", exclude_if=not_)] = False

    @property
    def header(self) -> bytes:
        """Its header in the archive."""
        return file_header(self.path, self.size, executable=self.executable)

    @property
    def stored_size(self) -> int:
        """Bytes that it takes in the archive, with header and padding."""
        return len(self.header) + self.size + len(padding(self.size))


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle consists of.

    Attributes:
        stack: Name of the stack.
        release: Number of the bundle among those of the stack, from 1; as in its lock.
        lock: SHA-256 of its lock.
        signer: Identifier of the key that signs it.
        part_size: Bytes of each part of the archive but the last.
        base: SHA-256 of the base bundle's manifest; None for a whole bundle.
        files: Sorted by path.
        format: Of the manifest, with its version.
    """

    __pydantic_config__ = NOTHING_ELSE

    stack: str
    release: Annotated[int, Field(ge=1)]
    lock: Digest
    signer: Digest
    part_size: Annotated[int, Field(alias="partSize", ge=1024)]
    base: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
    files: tuple[Entry, ...]
    format: Literal["breakeven-bundle/1"] = FORMAT

    def as_bytes(self) -> bytes:
        """Returns it as JSON, the same bytes for the same manifest."""
        return canonical_json(MANIFEST_TYPE.dump_python(self, by_alias=True, warnings="none"))

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest: the name of the bundle."""
        return sha256_of_bytes(self.as_bytes())

    @property
    def stored(self) -> Iterator[Entry]:
        """The files that are in this bundle's own archive."""
        return (entry for entry in self.files if not entry.in_base)

    @property
    def archive_size(self) -> int:
        """Bytes of the archive."""
        return sum(entry.stored_size for entry in self.stored) + len(END)

    def parts(self) -> list[tuple[str, int]]:
        """Returns name and size of each part, in order."""
        total = self.archive_size
        starts = range(0, total, self.part_size)
        return [
            (f"bundle.tar.{number:04d}", min(self.part_size, total - start))
            for number, start in enumerate(starts)
        ]


MANIFEST_TYPE: Final = TypeAdapter(Manifest)
"""Writes and reads manifests."""


def parse_manifest(content: bytes, where: str) -> Manifest:
    """Reads a manifest.

    Raises:
        BundleError: This program would not write it so, or a path leaves its folder.
    """
    try:
        manifest = MANIFEST_TYPE.validate_json(content, strict=True)
    except ValidationError as error:
        mistake = first_mistake(error)
        msg = f"{where}: not a bundle manifest ({mistake}). Copy the bundle again"
        raise BundleError(msg) from error
    if manifest.as_bytes() != content:
        msg = f"{where}: written by another version. Use the version that packed it"
        raise BundleError(msg)
    check_paths(manifest.files, where)
    return manifest


def check_paths(files: Iterable[Entry], where: str) -> None:
    """Rejects paths that leave the folder, occur twice, or are blobs with another digest.

    Raises:
        BundleError: Names the path.
    """
    seen: set[str] = set()
    previous = ""
    for entry in files:
        segments = entry.path.split("/")
        if not all(_SEGMENT.fullmatch(segment) for segment in segments):
            msg = f'{where}: names "{entry.path}". Allowed: plain relative paths'
            raise BundleError(msg)
        if entry.path <= previous:
            msg = f'{where}: "{entry.path}" is out of order or duplicated'
            raise BundleError(msg)
        parents = {"/".join(segments[:depth]) for depth in range(1, len(segments))}
        if parents & seen:
            msg = f'{where}: "{entry.path}" is below a file'
            raise BundleError(msg)
        if entry.path.startswith(_BLOB) and entry.path != f"{_BLOB}{entry.sha256}":
            msg = f"{where}: {entry.path} contains a blob with another digest"
            raise BundleError(msg)
        previous = entry.path
        seen.add(entry.path)
