"""Opens a bundle, which is trusted only after its signature and every byte were checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from breakeven.bundle.archive.archive import Sink, check_archive, drain, read_archive
from breakeven.bundle.archive.manifest import (
    FIRST_TIME,
    LIMIT,
    MANIFEST,
    SIGNATURE,
    SIGNATURE_BYTES,
    SUMS,
    SUMS_SIGNATURE,
    Manifest,
    parse_manifest,
)
from breakeven.bundle.archive.parts import Count
from breakeven.bundle.archive.signing import is_signed, key_id
from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import read_regular, sha256_of_bytes

FIXED_FILES = (MANIFEST, SIGNATURE, SUMS, SUMS_SIGNATURE, FIRST_TIME)
"""What a bundle's folder holds in addition to the parts."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose manifest is signed by a key that is trusted."""

    folder: Path
    manifest: Manifest
    signature: bytes


def nothing(_bytes: int) -> None:
    """Does not count."""


def open_bundle(folder: Path, key: Ed25519PublicKey) -> Bundle:
    """Checks the manifest's signature and that the folder holds exactly the files it must.

    Args:
        folder: Of the bundle.
        key: Of those whose bundles are trusted.

    Raises:
        BundleError: Names the file that is missing, unlisted, or not signed by the key.
    """
    if not folder.is_dir():
        msg = f"{folder}: is not a folder. Name the folder with {MANIFEST} and the parts"
        raise BundleError(msg)
    content, signature = _signed(folder, MANIFEST, SIGNATURE, key)
    manifest = parse_manifest(content, str(folder / MANIFEST))
    _require_exact_files(folder, manifest)
    sums, _ = _signed(folder, SUMS, SUMS_SIGNATURE, key)
    program = sha256_of_bytes(read_regular(folder / FIRST_TIME, LIMIT))
    if sums_line(program, FIRST_TIME).encode() not in sums.splitlines(keepends=True):
        msg = (
            f"{folder / FIRST_TIME}: differs from its checksum in {SUMS}. Do not run it; copy "
            "the bundle again"
        )
        raise BundleError(msg)
    return Bundle(folder, manifest, signature)


def sums_line(digest: str, name: str) -> str:
    """Returns a line of checksums as sha256sum writes and reads it."""
    return f"{digest}  {name}\n"


def _signed(
    folder: Path, name: str, signature_name: str, key: Ed25519PublicKey
) -> tuple[bytes, bytes]:
    content = read_regular(folder / name, LIMIT)
    signature = read_regular(folder / signature_name, SIGNATURE_BYTES)
    if not is_signed(key, signature, content):
        msg = (
            f"{folder / name}: is not signed by key {key_id(key)}. It was changed, or signed by "
            "somebody else. Do not use it; contact the sender through another channel"
        )
        raise BundleError(msg)
    return content, signature


def _require_exact_files(folder: Path, manifest: Manifest) -> None:
    expected = {*FIXED_FILES, *(name for name, _ in manifest.parts())}
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in expected)
    if foreign:
        msg = f"{folder}: has files that do not belong to it: {', '.join(foreign)}. Remove them"
        raise BundleError(msg)


def open_base(bundle: Bundle, base: Path | None, key: Ed25519PublicKey) -> Bundle | None:
    """Opens the bundle that a delta builds on.

    Raises:
        BundleError: It is missing, not the right one, or not needed.
    """
    if not bundle.manifest.base:
        if base is not None:
            msg = f"{bundle.folder}: is a full bundle. Omit --base"
            raise BundleError(msg)
        return None
    if base is None:
        msg = (
            f"{bundle.folder}: is a delta on bundle {bundle.manifest.base}. Name that bundle's "
            "folder: --base FOLDER"
        )
        raise BundleError(msg)
    opened = open_bundle(base, key)
    if opened.manifest.digest != bundle.manifest.base:
        msg = (
            f"{base}: is bundle {opened.manifest.digest}, but {bundle.folder} is a delta on "
            f"{bundle.manifest.base}. Name the folder of that bundle"
        )
        raise BundleError(msg)
    if opened.manifest.base:
        msg = f"{base}: is a delta. Allowed as a base: a full bundle"
        raise BundleError(msg)
    held = {(entry.path, entry.sha256, entry.size) for entry in opened.manifest.files}
    for entry in bundle.manifest.files:
        if entry.in_base and (entry.path, entry.sha256, entry.size) not in held:
            msg = f"{base}: does not contain {entry.path} as the delta needs it"
            raise BundleError(msg)
    return opened


def check_bundle(bundle: Bundle, base: Bundle | None, count: Count = nothing) -> None:
    """Checks every byte of a bundle, and of its base.

    Args:
        bundle: Opened.
        base: Of a delta.
        count: Called with the number of bytes read.

    Raises:
        BundleError: Names the first file or part that is not as signed.
    """
    for each in (base, bundle):
        if each is not None:
            check_archive(each.folder, each.manifest, count)


def read_bundle(bundle: Bundle, base: Bundle | None, sink: Sink, count: Count) -> None:
    """Checks every byte of a bundle and of its base, and passes on the files in order.

    Args:
        bundle: Opened.
        base: Of a delta.
        sink: Receives the files; base files that a delta does not need are only checked.
        count: Called with the number of bytes read.

    Raises:
        BundleError: Names the first file or part that is not as signed.
    """
    if base is not None:
        needed = {entry.path: entry for entry in bundle.manifest.files if entry.in_base}
        read_archive(
            base.folder,
            base.manifest,
            lambda entry, pieces: (
                sink(needed[entry.path], pieces) if entry.path in needed else drain(entry, pieces)
            ),
            count,
        )
    read_archive(bundle.folder, bundle.manifest, sink, count)
