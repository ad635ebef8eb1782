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
# More of them only cause random disk access.
_MOST_READERS = 8
_INTERRUPTED = -1  # set before the first range, so that every reader stops


def write_archive(
    folder: Path, manifest: Manifest, content: Callable[[Entry], Content], count: Count
) -> None:
    """Writes the archive's parts; continues after existing ones.

    Args:
        folder: Target folder.
        manifest: What it consists of.
        content: Opens the bytes of an entry.
        count: Called with the number of bytes read.

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
    """Reads the archive once, in order; rejects anything that differs from the manifest.

    Args:
        folder: Where the parts lie.
        manifest: What it must consist of; its signature was checked.
        sink: Receives each entry and its bytes, which are verified only when it returns.
        count: Called with the number of bytes read.

    Raises:
        BundleError: Names the first file or part that is not as signed.
    """
    with PartReader(folder, manifest.parts(), count) as reader:
        for entry in manifest.stored:
            _read_entry(reader, entry, sink)
        _expect(reader, END, "its end")


def check_archive(folder: Path, manifest: Manifest, count: Count) -> None:
    """Reads the archive without keeping it, several ranges of whole files in parallel.

    Args:
        folder: Where the parts lie.
        manifest: What it must consist of; its signature was checked.
        count: Called with the number of bytes read.

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
                    # Only an earlier failure ends a range, so that the first failure is reported.
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
    """Lets Ctrl-C end the readers; the thread pool would otherwise wait for them."""
    try:
        yield
    except BaseException:
        failed.append(_INTERRUPTED)
        raise


def _stop_if_interrupted(failed: list[int]) -> None:
    if _INTERRUPTED in failed:
        raise KeyboardInterrupt


def _stretches(entries: list[Entry], most: int) -> list[tuple[int, list[Entry]]]:
    """Splits the files into at most `most` ranges of similar size, each with its start."""
    share = sum(entry.stored_size for entry in entries) / most
    stretches: list[tuple[int, list[Entry]]] = [(0, [])]
    start = 0
    for entry in entries:
        # A file that begins in another share starts a range, so ranges never outnumber shares.
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
