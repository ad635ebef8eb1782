"""Packing and verifying a bundle beside copying and reading the same bytes: time and memory.

Ratios, because the machine decides about seconds: 1.00 is as fast as the disk alone.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from breakeven.bundle.archive.archive import write_archive
from breakeven.bundle.archive.manifest import Entry, Manifest
from breakeven.bundle.archive.opening import check_bundle, nothing, open_bundle
from breakeven.bundle.archive.signing import key_id
from breakeven.bundle.files import BLOCK, blocks, forget, sha256_of
from breakeven.bundle.pack import Contents, Order, seal

_GIGABYTE = 1_000_000_000
_PART = 1024 * 1024 * 1024
_FILES = 5
_ROUNDS = 5
_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        measure(Path(folder), options.gigabytes * _GIGABYTE)


def measure(folder: Path, total: int) -> None:
    """Measures with files of `total` bytes together."""
    sources = [_make(folder / f"weights-{number}", total // _FILES) for number in range(_FILES)]
    copy = folder / "copy"
    writing = _timed(sources, lambda: _copy(sources, copy))
    reading = _timed(sources, lambda: _read(sources))
    copy.unlink()
    entries = tuple(Entry(path.name, path.stat().st_size, sha256_of(path)) for path in sources)
    contents = Contents(entries, {}, {path.name: path for path in sources}, {}, "")
    key = _KEY.public_key()
    manifest = Manifest("bench", 1, "0" * 64, key_id(key), _PART, "", entries)
    target = folder / "bundle"
    order = Order(target, _KEY, _PART)

    def pack() -> None:
        seal(
            manifest, lambda to: write_archive(to, manifest, contents.open, nothing), order, nothing
        )

    packing = _timed(sources, pack)
    parts = sorted(target.glob("bundle.tar.*"))
    rounds = [
        (
            _timed(parts, lambda: _read(parts)),
            _timed(parts, lambda: check_bundle(open_bundle(target, key), None)),
        )
        for _ in range(_ROUNDS)
    ]
    shares = sorted(read / verified for read, verified in rounds)
    verifying = statistics.median(verified for _, verified in rounds)
    processor = time.process_time()
    check_bundle(open_bundle(target, key), None)
    processor = time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{total / _GIGABYTE:.0f} GB in {_FILES} files, parts of 1 GiB")
    print(f"copy, to the disk  {total / writing / 1e6:6.0f} MB/s")
    print(f"read               {total / reading / 1e6:6.0f} MB/s")
    both = writing + reading
    print(f"pack, and read it back  {packing:5.1f} s: {both / packing:.2f} of copying and reading")
    print(
        f"verify                  {verifying:5.1f} s: {statistics.median(shares):.2f} of reading, "
        f"median of {_ROUNDS} pairs from {shares[0]:.2f} to {shares[-1]:.2f}"
    )
    print(f"a second of one processor verifies {total / processor / 1e6:,.0f} MB")
    print(f"peak memory        {peak / 1e6:6.0f} MB")


def _make(path: Path, size: int) -> Path:
    with path.open("wb") as stream:
        while stream.tell() < size:
            stream.write(os.urandom(BLOCK))
        stream.truncate(size)
    return path


def _timed(files: list[Path], work: Callable[[], object]) -> float:
    _forget(files)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _forget(files: list[Path]) -> None:
    """Lets the system forget what it holds of files in memory, so that the disk is measured."""
    os.sync()
    for path in files:
        with path.open("rb") as stream:
            forget(stream)


def _copy(sources: list[Path], target: Path) -> None:
    for source in sources:
        with source.open("rb") as reader, target.open("wb") as writer:
            shutil.copyfileobj(reader, writer, BLOCK)
            os.fsync(writer.fileno())


def _read(sources: list[Path]) -> None:
    for source in sources:
        with source.open("rb") as stream:
            for _ in blocks(stream):
                pass


if __name__ == "__main__":
    main()
