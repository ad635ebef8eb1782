"""Fills a volume with a model's files from an unpacked bundle, for stacks with `weights.claim`.

The volume is a folder of this machine: a mounted network file system, or a disk of the node.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from breakeven.bundle.archive.opening import nothing
from breakeven.bundle.archive.parts import Count, require_room
from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import forget, open_regular, partial_of, sha256_of, whole_file
from breakeven.bundle.lock import LockedModel
from breakeven.bundle.pack import IMAGES
from breakeven.bundle.registry.model_image import ModelFile, open_file_in_layer
from breakeven.bundle.registry.oci import blob_path


@dataclass(frozen=True, slots=True)
class Filled:
    """One file on the volume."""

    path: Path
    size: int
    was_there: bool


def fill(
    model: LockedModel, unpacked: Path, volume: Path, count: Count = nothing
) -> tuple[Filled, ...]:
    """Writes every missing file to the volume's folder REVISION, and reads all files back.

    Complete files are not rewritten, so an interrupted run continues. No file
    gets its name before it is complete on the disk.

    Args:
        model: Of the bundle's lock.
        unpacked: Where the bundle was unpacked, and checked.
        volume: Folder of the volume; it must exist, so that nothing is written next to an
            unmounted volume.
        count: Called with the number of bytes read.

    Raises:
        BundleError: The volume does not exist, is full or loses bytes, or its folder has files
            that do not belong to the model.
    """
    if not volume.is_dir():
        msg = f"{volume}: is not a folder. Mount the volume there first"
        raise BundleError(msg)
    folder = volume / model.revision
    _require_own_folder(folder, model)
    missing = [file for file in model.files if not _is_whole(folder / file.name, file, count)]
    require_room(volume, sum(file.size for file in missing))
    for file in missing:
        layer = unpacked / IMAGES / blob_path(file.layer.digest)
        with (
            open_file_in_layer(layer, file, model.revision) as pieces,
            whole_file(folder / file.name) as stream,
        ):
            for block in pieces:
                stream.write(block)
                count(len(block))
    if folder.is_dir():
        folder.chmod(0o755)  # pods read it as another user
    for file in missing:
        _require_written(folder / file.name, file, count)
    return tuple(Filled(folder / file.name, file.size, file not in missing) for file in model.files)


def _require_own_folder(folder: Path, model: LockedModel) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        msg = f"{folder}: not a folder. Remove it"
        raise BundleError(msg)
    names = {file.name for file in model.files}
    unfinished = {partial_of(folder / name).name for name in names}
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if foreign := sorted(there - names - unfinished):
        msg = (
            f"{folder}: has files that do not belong to the model: {', '.join(foreign)}. Remove "
            "them"
        )
        raise BundleError(msg)


def _is_whole(path: Path, file: ModelFile, count: Count) -> bool:
    if not path.exists() and not path.is_symlink():
        return False
    with open_regular(path) as stream:  # rejects a link, which may lead out of the volume
        size = os.fstat(stream.fileno()).st_size
    count(size)
    return size == file.size and sha256_of(path) == file.sha256


def _require_written(path: Path, file: ModelFile, count: Count) -> None:
    with path.open("rb") as stream:
        forget(stream)  # so that it is read from the volume, not from this machine's memory
    if path.stat().st_size != file.size or sha256_of(path) != file.sha256:
        msg = f"{path}: the volume returned other bytes than were written. Do not use this volume"
        raise BundleError(msg)
    count(file.size)
