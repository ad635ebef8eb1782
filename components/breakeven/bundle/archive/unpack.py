"""Unpacks a bundle: every file is checked, and the folder appears only after the last one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from breakeven.bundle.archive.archive import drain
from breakeven.bundle.archive.manifest import MANIFEST, SIGNATURE, Entry
from breakeven.bundle.archive.opening import Bundle, nothing, read_bundle
from breakeven.bundle.archive.parts import Count, require_room
from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import sha256_of, whole_file, write_bytes

_UNFINISHED = ".unpacking"


def unpack(bundle: Bundle, base: Bundle | None, target: Path, count: Count = nothing) -> None:
    """Unpacks a bundle, and the base of a delta, into a new folder.

    A run that was interrupted continues: files that are complete and unchanged are not rewritten.

    Raises:
        BundleError: A byte is not as signed, the disk is full, or the folder already exists.
    """
    if target.is_symlink() or target.exists():
        msg = f"{target}: already exists. Name a new folder"
        raise BundleError(msg)
    beside = target.with_name(f"{target.name}{_UNFINISHED}")
    if beside.is_symlink():
        msg = f"{beside}: is a link. Remove it"
        raise BundleError(msg)
    try:
        beside.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{beside}: cannot create the folder: {error.strerror}. Name another folder"
        raise BundleError(msg) from error
    _remove_foreign(beside, bundle)
    there = sum(path.stat().st_size for path in beside.rglob("*") if path.is_file())
    require_room(beside, sum(entry.size for entry in bundle.manifest.files) - there)

    def sink(entry: Entry, pieces: Iterator[bytes]) -> None:
        path = beside / entry.path
        if path.is_file() and path.stat().st_size == entry.size and sha256_of(path) == entry.sha256:
            drain(entry, pieces)
            return
        with whole_file(path, mode=0o755 if entry.executable else 0o644) as stream:
            for block in pieces:
                stream.write(block)

    read_bundle(bundle, base, sink, count)
    write_bytes(beside / MANIFEST, bundle.manifest.as_bytes())
    write_bytes(beside / SIGNATURE, bundle.signature)
    beside.replace(target)


def check_unpacked(folder: Path, bundle: Bundle) -> None:
    """Checks every byte of a folder to which a bundle was unpacked earlier.

    Raises:
        BundleError: It is from another bundle, or was changed since; names the file.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file() or manifest.read_bytes() != bundle.manifest.as_bytes():
        msg = f"{folder}: contains another bundle than {bundle.folder}. Name another folder"
        raise BundleError(msg)
    for entry in bundle.manifest.files:
        path = folder / entry.path
        whole = path.is_file() and not path.is_symlink() and path.stat().st_size == entry.size
        if not whole or sha256_of(path) != entry.sha256:
            msg = f"{path}: changed since it was unpacked. Remove {folder}, then unpack again"
            raise BundleError(msg)
    expected = {*(entry.path for entry in bundle.manifest.files), MANIFEST, SIGNATURE}
    added = sorted(path for path in _below(folder) if path not in expected)
    if added:
        msg = (
            f"{folder}: has files or links that are not in the bundle: {', '.join(added[:5])}. "
            f"Remove {folder}, then unpack again"
        )
        raise BundleError(msg)


def _below(folder: Path) -> Iterator[str]:
    """Yields everything below a folder except plain folders; links are yielded, not followed."""
    for parent, folders, files in os.walk(folder):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in (*files, *links):
            yield Path(parent, name).relative_to(folder).as_posix()


def _remove_foreign(folder: Path, bundle: Bundle) -> None:
    """The folder must not hold files that are not in the bundle."""
    expected = {entry.path for entry in bundle.manifest.files}
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_symlink() or (
            path.is_file() and path.relative_to(folder).as_posix() not in expected
        ):
            path.unlink()
