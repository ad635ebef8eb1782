"""Writes and reads the archive of a bundle, comparing every byte with the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from components.bundle.errors import BundleError
from components.bundle.files import BLOCK
from components.bundle.manifest import Entry, Manifest
from components.bundle.parts import Count, PartReader, PartWriter
from components.bundle.tar_format import END, padding

Content = AbstractContextManager[Iterable[bytes]]
Sink = Callable[[Entry, Iterator[bytes]], None]


def write_archive(
    folder: Path, manifest: Manifest, content: Callable[[Entry], Content], count: Count
) -> None:
    """Writes the archive's parts; goes on behind those that are there.

    Args:
        folder: Where to.
        manifest: What it consists of.
        content: Opens the bytes of an entry.
        count: Is told how many bytes were read.

    Raises:
        BundleError: An entry has other bytes than the manifest says, or the disk is full.
    """
    writer = PartWriter(folder, manifest.parts())
    try:
        for entry in manifest.stored:
            writer.write(entry.header)
            with content(entry) as pieces:
                for block in _checked(entry, pieces, f"{entry.path}: was changed meanwhile"):
                    writer.write(block)
                    count(len(block))
            writer.write(padding(entry.size))
        writer.write(END)
    finally:
        writer.abandon()


def read_archive(folder: Path, manifest: Manifest, sink: Sink, count: Count) -> None:
    """Reads the archive once; whatever differs from the manifest is refused.

    Args:
        folder: Where the parts lie.
        manifest: What it must consist of; its signature was checked.
        sink: Takes each entry and its bytes. What it took is sound only when it returns.
        count: Is told how many bytes were read.

    Raises:
        BundleError: Names the first file or part that is not as signed.
    """
    with PartReader(folder, manifest.parts(), count) as reader:
        for entry in manifest.stored:
            if reader.exactly(len(entry.header)) != entry.header:
                msg = (
                    f"{reader.part}: does not hold {entry.path} where it belongs: parts were "
                    "swapped or changed. Copy it again"
                )
                raise BundleError(msg)
            wrong = f"{entry.path}: differs from its signed checksum, in {{part}}. Copy it again"
            pieces = _next_bytes(reader, entry.size)
            sink(entry, _checked(entry, pieces, wrong, part=lambda: str(reader.part)))
            _expect(reader, padding(entry.size), entry.path)
        _expect(reader, END, "its end")


def drain(_entry: Entry, pieces: Iterator[bytes]) -> None:
    """A sink that keeps nothing."""
    for _ in pieces:
        pass


def _next_bytes(reader: PartReader, size: int) -> Iterator[bytes]:
    while size and (block := reader.read(min(BLOCK, size))):
        size -= len(block)
        yield block


def _checked(
    entry: Entry, pieces: Iterable[bytes], wrong: str, part: Callable[[], str] = str
) -> Iterator[bytes]:
    digest, size = hashlib.sha256(), 0
    for block in pieces:
        digest.update(block)
        size += len(block)
        yield block
    if size != entry.size or digest.hexdigest() != entry.sha256:
        raise BundleError(wrong.format(part=part()))


def _expect(reader: PartReader, expected: bytes, where: str) -> None:
    if reader.exactly(len(expected)) != expected:
        msg = f"{reader.part}: has bytes that were not packed, at {where}. Copy it again"
        raise BundleError(msg)
