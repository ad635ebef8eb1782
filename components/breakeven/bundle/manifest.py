"""The manifest of a bundle: every file with checksum and size. It is what is signed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import canonical_json, sha256_of_bytes
from breakeven.bundle.tar_format import END, file_header, padding

FORMAT = "breakeven-bundle/1"
MANIFEST = "bundle.json"
SIGNATURE = "bundle.json.sig"
LIMIT = 64 * 1024 * 1024
SIGNATURE_BYTES = 64

_HEX = re.compile(r"[0-9a-f]{64}")
_SEGMENT = re.compile(r"[A-Za-z0-9_@+][A-Za-z0-9._@+!-]*")
_BLOB = "images/blobs/sha256/"
_LEAST_PART = 1024


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One file of a bundle.

    Attributes:
        path: Relative, without `.` and `..`.
        size: In bytes.
        sha256: As hexadecimal digits.
        executable: Whether it is a program.
        in_base: Whether it lies in the base of a delta instead.
    """

    path: str
    size: int
    sha256: str
    executable: bool = False
    in_base: bool = False

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
        base: SHA-256 of the base bundle's manifest, or nothing for a whole bundle.
        files: Sorted by path.
    """

    stack: str
    release: int
    lock: str
    signer: str
    part_size: int
    base: str
    files: tuple[Entry, ...]

    def as_bytes(self) -> bytes:
        """Returns it as JSON, the same bytes for the same manifest."""
        return canonical_json(
            {
                "format": FORMAT,
                "stack": self.stack,
                "release": self.release,
                "lock": self.lock,
                "signer": self.signer,
                "partSize": self.part_size,
                "base": self.base,
                "files": [_entry_json(entry) for entry in self.files],
            }
        )

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


def _entry_json(entry: Entry) -> dict[str, object]:
    return {
        "path": entry.path,
        "size": entry.size,
        "sha256": entry.sha256,
        **({"executable": True} if entry.executable else {}),
        **({"inBase": True} if entry.in_base else {}),
    }


def parse_manifest(content: bytes, where: str) -> Manifest:
    """Reads a manifest.

    Raises:
        BundleError: It is not as this program writes it, or names a path that leaves its folder.
    """
    try:
        value = json.loads(content)
        manifest = _manifest(value)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        msg = f"{where}: is no manifest of a bundle ({error}). Copy the bundle again"
        raise BundleError(msg) from error
    if value.get("format") != FORMAT or manifest.as_bytes() != content:
        msg = f"{where}: is not written as this version writes it. Use the version that packed it"
        raise BundleError(msg)
    check_paths(manifest.files, where)
    return manifest


def _manifest(value: Mapping[str, Any]) -> Manifest:
    manifest = Manifest(
        stack=str(value["stack"]),
        release=int(value["release"]),
        lock=_digest(value["lock"]),
        signer=_digest(value["signer"]),
        part_size=int(value["partSize"]),
        base=_digest(value["base"]) if value["base"] else "",
        files=tuple(
            Entry(
                str(entry["path"]),
                int(entry["size"]),
                _digest(entry["sha256"]),
                executable=bool(entry.get("executable", False)),
                in_base=bool(entry.get("inBase", False)),
            )
            for entry in value["files"]
        ),
    )
    sizes_fit = manifest.part_size >= _LEAST_PART and all(
        entry.size >= 0 for entry in manifest.files
    )
    if not sizes_fit or manifest.release < 1:
        msg = "a size or the release is out of range"
        raise ValueError(msg)
    return manifest


def _digest(value: str) -> str:
    if not _HEX.fullmatch(value):
        msg = f'"{value}" is no SHA-256'
        raise ValueError(msg)
    return value


def check_paths(files: Iterable[Entry], where: str) -> None:
    """Refuses paths that leave the folder, are there twice, or are blobs under another digest.

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
            msg = f'{where}: "{entry.path}" is out of order or there twice'
            raise BundleError(msg)
        parents = {"/".join(segments[:depth]) for depth in range(1, len(segments))}
        if parents & seen:
            msg = f'{where}: "{entry.path}" lies below a file'
            raise BundleError(msg)
        if entry.path.startswith(_BLOB) and entry.path != f"{_BLOB}{entry.sha256}":
            msg = f"{where}: {entry.path} holds a blob of another digest"
            raise BundleError(msg)
        previous = entry.path
        seen.add(entry.path)
