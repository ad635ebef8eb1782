"""Packs what a lock names into one signed bundle: the same lock and key give the same bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from breakeven.bundle.archive import first_time
from breakeven.bundle.archive.archive import write_archive
from breakeven.bundle.archive.manifest import (
    FIRST_TIME,
    MANIFEST,
    SIGNATURE,
    SUMS_SIGNATURE,
    Entry,
    Manifest,
    check_paths,
)
from breakeven.bundle.archive.manifest import (
    SUMS as PART_SUMS,
)
from breakeven.bundle.archive.opening import (
    FIXED_FILES,
    Bundle,
    check_bundle,
    nothing,
    open_bundle,
    sums_line,
)
from breakeven.bundle.archive.parts import Count, require_room
from breakeven.bundle.archive.signing import key_id
from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import blocks, partial_of, sha256_of, sha256_of_bytes, write_bytes
from breakeven.bundle.licences import as_json, licences_of
from breakeven.bundle.lock import Lock
from breakeven.bundle.origins import Origin
from breakeven.bundle.registry.model_image import HOST, model_image, open_layer
from breakeven.bundle.registry.oci import (
    LAYOUT_FILE,
    Blob,
    blob_path,
    image_graph,
    layout_index,
    layout_manifest,
)
from breakeven.bundle.registry.oras import Oras
from breakeven.bundle.sbom import bill_of_materials

IMAGES = "images"
LOCK = "lock.json"
SBOM = "sbom.cdx.json"
LICENCES = "licences.json"
SUMS = "SHA256SUMS"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Contents:
    """Every file of a bundle, and the source of its bytes.

    Attributes:
        entries: Sorted by path.
        written: Bytes of the files that exist nowhere else, by path.
        files: Files of this machine by path.
        layers: Files of the model, by the path of the layer that holds each.
        revision: Of the model.
    """

    entries: tuple[Entry, ...]
    written: Mapping[str, bytes]
    files: Mapping[str, Path]
    layers: Mapping[str, Path]
    revision: str

    @contextmanager
    def open(self, entry: Entry) -> Iterator[Iterable[bytes]]:
        """Opens the bytes of an entry."""
        if entry.path in self.written:
            yield [self.written[entry.path]]
        elif entry.path in self.layers:
            path = self.layers[entry.path]
            with open_layer(path, path.stat().st_size, self.revision) as pieces:
                yield pieces
        else:
            with self.files[entry.path].open("rb") as stream:
                yield blocks(stream)


def pull_images(lock: Lock, layout: Path, say: Say) -> None:
    """Pulls every image of a lock into an OCI layout; complete images are not pulled again.

    Raises:
        BundleError: A registry fails, or its bytes differ from the lock.
    """
    oras = Oras.find()
    for image in lock.images:
        if image.reference.host == HOST or _is_whole(layout, image.blobs):
            continue
        say(f"pulling {image.reference}, {image.size / 1e9:.2f} GB")
        oras.pull(image.reference, layout)
        _, blobs = image_graph(
            image.root.digest,
            lambda digest: layout_manifest(layout, digest),
            str(image.reference),
        )
        if blobs != image.blobs:
            msg = (
                f"{image.reference}: its blobs differ from the lock. Run breakeven bundle plan "
                "again"
            )
            raise BundleError(msg)


def _is_whole(layout: Path, blobs: Iterable[Blob]) -> bool:
    return all(
        (layout / blob_path(blob.digest)).is_file()
        and (layout / blob_path(blob.digest)).stat().st_size == blob.size
        for blob in blobs
    )


def contents_of(lock: Lock, origins: Iterable[Origin], layout: Path, model: Path) -> Contents:
    """Assembles the contents of a bundle.

    Args:
        lock: The required contents.
        origins: Files of this machine.
        layout: OCI layout with the images that were pulled.
        model: Folder with the model's files.

    Raises:
        BundleError: Files of this machine differ from the lock.
    """
    by_path = {origin.path: origin for origin in origins}
    _require_locked_files(lock, by_path)
    carried = model_image(lock.model.name, lock.model.revision, lock.model.files)
    licences = licences_of(lock, by_path, layout)
    written = {
        LOCK: lock.as_bytes(),
        SBOM: bill_of_materials(lock, licences),
        LICENCES: as_json(licences),
        f"{IMAGES}/oci-layout": LAYOUT_FILE,
        f"{IMAGES}/index.json": layout_index(
            (image.reference, image.root) for image in lock.images
        ),
        **{_blob(digest): content for digest, content in carried.small_blobs.items()},
    }
    entries = {
        path: Entry(path, len(content), sha256_of_bytes(content))
        for path, content in written.items()
    }
    for digest, blob in lock.blobs().items():
        entries[_blob(digest)] = Entry(_blob(digest), blob.size, digest.removeprefix("sha256:"))
    for file in lock.files:
        entries[file.path] = Entry(file.path, file.size, file.sha256, executable=file.executable)
    sums = "".join(f"{entries[path].sha256}  {path}\n" for path in sorted(entries)).encode()
    written[SUMS] = sums
    entries[SUMS] = Entry(SUMS, len(sums), sha256_of_bytes(sums))
    layers = {_blob(file.layer.digest): model / file.name for file in lock.model.files}
    return Contents(
        entries=tuple(entries[path] for path in sorted(entries)),
        written=written,
        files={
            **{path: origin.file for path, origin in by_path.items()},
            **{_blob(digest): layout / blob_path(digest) for digest in lock.blobs()},
        },
        layers=layers,
        revision=lock.model.revision,
    )


def _blob(digest: str) -> str:
    return f"{IMAGES}/{blob_path(digest)}"


def _require_locked_files(lock: Lock, origins: Mapping[str, Origin]) -> None:
    locked = {file.path for file in lock.files}
    new, gone = sorted(set(origins) - locked), sorted(locked - set(origins))
    if new or gone:
        changes = [*(f"new: {path}" for path in new), *(f"gone: {path}" for path in gone)]
        shown = "\n".join(f"  {change}" for change in changes[:20])
        msg = f"the files on this machine differ from the lock:\n{shown}\nPlan again"
        raise BundleError(msg)


@dataclass(frozen=True, slots=True)
class Order:
    """How a bundle is written.

    Attributes:
        folder: Target folder; created if missing.
        key: Signing key.
        part_size: Bytes of a part.
    """

    folder: Path
    key: Ed25519PrivateKey
    part_size: int


def pack(lock: Lock, contents: Contents, order: Order, count: Count = nothing) -> Bundle:
    """Writes a bundle, reads it back, and signs it; an interrupted run continues where it stopped.

    Raises:
        BundleError: A file was changed meanwhile, the disk is full, or the folder is not empty.
    """
    manifest = Manifest(
        stack=lock.stack,
        release=lock.release,
        lock=lock.digest,
        signer=key_id(order.key.public_key()),
        part_size=order.part_size,
        base="",
        files=contents.entries,
    )
    check_paths(manifest.files, "the lock")
    return seal(manifest, lambda folder: _write(folder, manifest, contents, count), order, count)


def seal(manifest: Manifest, write: Callable[[Path], None], order: Order, count: Count) -> Bundle:
    """Writes the manifest, then the archive, reads both back, and adds the signature last.

    A bundle without a signature is unfinished and cannot be opened.
    """
    folder = order.folder
    folder.mkdir(parents=True, exist_ok=True)
    _require_own_folder(folder, manifest)
    there = [folder / name for name, _ in manifest.parts() if (folder / name).is_file()]
    require_room(folder, manifest.archive_size - sum(path.stat().st_size for path in there))
    content = manifest.as_bytes()
    write_bytes(folder / MANIFEST, content)
    write(folder)
    try:
        check_bundle(Bundle(folder, manifest, b""), None, count)
    except BundleError:
        for name, _ in manifest.parts():  # the next run must not continue after damaged parts
            (folder / name).unlink(missing_ok=True)
        raise
    write_bytes(folder / FIRST_TIME, Path(first_time.__file__).read_bytes())
    named = sorted([MANIFEST, FIRST_TIME, *(name for name, _ in manifest.parts())])
    sums = "".join(sums_line(sha256_of(folder / name), name) for name in named).encode()
    write_bytes(folder / PART_SUMS, sums)
    write_bytes(folder / SUMS_SIGNATURE, order.key.sign(sums))
    write_bytes(folder / SIGNATURE, order.key.sign(content))
    _sync(folder)
    return open_bundle(folder, order.key.public_key())


def _write(folder: Path, manifest: Manifest, contents: Contents, count: Count) -> None:
    write_archive(folder, manifest, contents.open, count)


def _require_own_folder(folder: Path, manifest: Manifest) -> None:
    """Files that an earlier run of the same bundle left are used; others stay untouched."""
    mine = {*FIXED_FILES, *(name for name, _ in manifest.parts())}
    unfinished = [partial_of(folder / name) for name in mine]
    present = {path.name for path in folder.iterdir()} - {path.name for path in unfinished}
    same = (folder / MANIFEST).is_file() and (folder / MANIFEST).read_bytes() == manifest.as_bytes()
    if present and (not same or present - mine):
        msg = f"{folder}: not empty. Name an empty or a new folder"
        raise BundleError(msg)
    for path in unfinished:
        path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
