"""Any number of parallel readers read an archive once and give the same result."""

from __future__ import annotations

import hashlib
import io
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.bundle.archive.archive import check_archive, drain, read_archive, write_archive
from breakeven.bundle.archive.manifest import Entry, Manifest
from breakeven.bundle.errors import BundleError

SIZES = st.lists(st.integers(0, 3000), min_size=1, max_size=12)
PROCESSORS = st.integers(1, 9)
PART_SIZES = st.sampled_from((512, 700, 1024, 5000, 1_000_000))


def manifest_of(sizes: list[int], part_size: int) -> tuple[Manifest, dict[str, bytes]]:
    contents = {f"file-{n:02}": bytes([n + 1]) * size for n, size in enumerate(sizes)}
    entries = tuple(
        Entry(path, len(content), hashlib.sha256(content).hexdigest())
        for path, content in contents.items()
    )
    return Manifest("test", 1, "0" * 64, "key", part_size, "", entries), contents


@contextmanager
def written(sizes: list[int], part_size: int) -> Iterator[tuple[Path, Manifest]]:
    manifest, contents = manifest_of(sizes, part_size)

    @contextmanager
    def content(entry: Entry) -> Iterator[Iterable[bytes]]:
        yield io.BytesIO(contents[entry.path])

    with tempfile.TemporaryDirectory() as folder:
        write_archive(Path(folder), manifest, content, lambda _: None)
        yield Path(folder), manifest


@contextmanager
def processors(number: int) -> Iterator[None]:
    with mock.patch("breakeven.bundle.archive.archive.os.cpu_count", return_value=number):
        yield


@given(SIZES, PART_SIZES, PROCESSORS)
def test_every_byte_is_read_exactly_once(sizes: list[int], part_size: int, number: int) -> None:
    with written(sizes, part_size) as (folder, manifest), processors(number):
        read: list[int] = []
        check_archive(folder, manifest, read.append)
        assert sum(read) == manifest.archive_size


@given(SIZES, PART_SIZES, PROCESSORS, st.data())
def test_a_changed_byte_is_refused_with_the_words_of_one_reader(
    sizes: list[int], part_size: int, number: int, data: st.DataObject
) -> None:
    with written(sizes, part_size) as (folder, manifest), processors(number):
        for _ in range(data.draw(st.integers(1, 3), label="changes")):
            name, length = data.draw(st.sampled_from(manifest.parts()), label="part")
            position = data.draw(st.integers(0, length - 1), label="position")
            changed = bytearray((folder / name).read_bytes())
            changed[position] = 0xFF
            (folder / name).write_bytes(changed)
        with pytest.raises(BundleError) as alone:
            read_archive(folder, manifest, drain, lambda _: None)
        with pytest.raises(BundleError) as together:
            check_archive(folder, manifest, lambda _: None)
        assert str(together.value) == str(alone.value)


def test_an_interrupt_ends_the_readers_before_they_have_read_all() -> None:
    read: list[int] = []

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    def slowly(size: int) -> None:
        time.sleep(0.01)
        read.append(size)

    with written([4_000_000] * 4, 1_000_000) as (folder, manifest), processors(1):
        with (
            mock.patch("breakeven.bundle.archive.archive.wait", interrupted),
            pytest.raises(KeyboardInterrupt),
        ):
            check_archive(folder, manifest, slowly)
        assert sum(read) < manifest.archive_size


def test_a_broken_count_ends_the_check_with_its_own_error() -> None:
    def stopped(_: int) -> None:
        raise KeyboardInterrupt

    with (
        written([100] * 8, 1024) as (folder, manifest),
        processors(4),
        pytest.raises(KeyboardInterrupt),
    ):
        check_archive(folder, manifest, stopped)
