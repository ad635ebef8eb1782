"""Writes and reads the archive of a bundle, comparing every byte with the manifest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Lock

from breakeven.bundle.archive.manifest import Entry, Manifest
from breakeven.bundle.archive.parts import Count, PartReader, PartWriter
from breakeven.bundle.archive.tar_format import END, padding
from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import BLOCK

Content = AbstractContextManager[Iterable[bytes]]
Sink = Callable[[Entry, Iterator[bytes]], None]

# While one waits for the disk, another one hashes.
_READERS_A_PROCESSOR = 2
# More of them only let a disk jump about.
_MOST_READERS = 8
_INTERRUPTED = -1  # before the first stretch, so that every reader stops


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
                for block in _checked(
                    entry, pieces, f"{entry.path}: changed while the bundle was written"
                ):
                    writer.write(block)
                    count(len(block))
            writer.write(padding(entry.size))
        writer.write(END)
    finally:
        writer.abandon()


def read_archive(folder: Path, manifest: Manifest, sink: Sink, count: Count) -> None:
    """Reads the archive once, in its order; whatever differs from the manifest is refused.

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
            _read_entry(reader, entry, sink)
        _expect(reader, END, "its end")


def check_archive(folder: Path, manifest: Manifest, count: Count) -> None:
    """Reads the archive and keeps nothing, several stretches of whole files at a time.

    Args:
        folder: Where the parts lie.
        manifest: What it must consist of; its signature was checked.
        count: Is told how many bytes were read.

    Raises:
        BundleError: Names the first file or part that is not as signed.
    """
    wanted = _READERS_A_PROCESSOR * (os.cpu_count() or 1)
    stretches = _stretches(list(manifest.stored), min(wanted, _MOST_READERS))
    failed: list[int] = []
    counting = Lock()

    def counted(size: int) -> None:
        _stop_if_interrupted(failed)
        with counting:
            count(size)

    def check(number: int) -> None:
        start, entries = stretches[number]
        try:
            with PartReader(folder, manifest.parts(), counted, start) as reader:
                for entry in entries:
                    # Only an earlier failure ends a stretch, so that the first one is named.
                    if min(failed, default=number) < number:
                        return
                    _read_entry(reader, entry, drain)
                if number + 1 == len(stretches):
                    _expect(reader, END, "its end")
        except BaseException:
            failed.append(number)
            raise

    with ThreadPoolExecutor(len(stretches)) as readers:
        checks = [readers.submit(check, number) for number in range(len(stretches))]
        with _ending_readers(failed):
            wait(checks)
    for done in checks:
        done.result()


@contextmanager
def _ending_readers(failed: list[int]) -> Iterator[None]:
    """Lets Ctrl-C end the readers, for which the pool of threads waits otherwise."""
    try:
        yield
    except BaseException:
        failed.append(_INTERRUPTED)
        raise


def _stop_if_interrupted(failed: list[int]) -> None:
    if _INTERRUPTED in failed:
        raise KeyboardInterrupt


def _stretches(entries: list[Entry], most: int) -> list[tuple[int, list[Entry]]]:
    """Cuts the files into up to `most` stretches of about the same size, each with its start."""
    share = sum(entry.stored_size for entry in entries) / most
    stretches: list[tuple[int, list[Entry]]] = [(0, [])]
    start = 0
    for entry in entries:
        # A file that begins in another share opens a stretch, so there are never more than shares.
        first, members = stretches[-1]
        if members and start // share > first // share:
            stretches.append((start, [entry]))
        else:
            members.append(entry)
        start += entry.stored_size
    return stretches


def _read_entry(reader: PartReader, entry: Entry, sink: Sink) -> None:
    if reader.exactly(len(entry.header)) != entry.header:
        msg = (
            f"{reader.part}: does not contain {entry.path} at its position; parts were swapped "
            "or changed. Copy it again"
        )
        raise BundleError(msg)
    wrong = f"{entry.path}: differs from its signed checksum, in {{part}}. Copy it again"
    pieces = _next_bytes(reader, entry.size)
    sink(entry, _checked(entry, pieces, wrong, part=lambda: str(reader.part)))
    _expect(reader, padding(entry.size), entry.path)


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
        msg = f"{reader.part}: has unexpected bytes at {where}. Copy it again"
        raise BundleError(msg)
