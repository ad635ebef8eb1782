"""A volume is filled with whole files of the model, and with nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from breakeven.bundle.archive.unpack import unpack
from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import sha256_of
from breakeven.bundle.fill import fill
from tests.unit.bundle.builders import REVISION, Site, make_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path / "site")


@pytest.fixture
def unpacked(site: Site, tmp_path: Path) -> Path:
    target = tmp_path / "unpacked"
    unpack(site.pack(), None, target)
    return target


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    (folder / "lost+found").mkdir(parents=True)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_volume_has_the_model_as_it_was_packed(
    site: Site, unpacked: Path, volume: Path
) -> None:
    mask = os.umask(0o077)
    try:
        filled = fill(site.lock.model, unpacked, volume)
    finally:
        os.umask(mask)
    assert not any(file.was_there for file in filled)
    folder = volume / REVISION
    assert {path.name for path in folder.iterdir()} == {file.name for file in site.lock.model.files}
    for file in site.lock.model.files:
        assert sha256_of(folder / file.name) == file.sha256
        assert (folder / file.name).stat().st_mode & 0o777 == 0o644
    assert folder.stat().st_mode & 0o777 == 0o755


def test_what_is_there_is_not_written_again_and_what_is_damaged_is(
    site: Site, unpacked: Path, volume: Path
) -> None:
    fill(site.lock.model, unpacked, volume)
    folder = volume / REVISION
    before = contents(folder)
    damaged = folder / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    (folder / ".config.json.partial").write_text("left half writ")
    (folder / "config.json").unlink()
    again = {file.path.name: file.was_there for file in fill(site.lock.model, unpacked, volume)}
    assert [name for name, was_there in again.items() if not was_there] == [
        "config.json",
        "model.safetensors",
    ]
    assert contents(folder) == before


def test_files_that_are_none_of_the_model_are_refused_by_their_name(
    site: Site, unpacked: Path, volume: Path
) -> None:
    folder = volume / REVISION
    folder.mkdir()
    (folder / "modeling_evil.py").write_text("import os")
    with pytest.raises(BundleError, match=r"do not belong to the model: modeling_evil\.py"):
        fill(site.lock.model, unpacked, volume)
    assert contents(folder) == {"modeling_evil.py": b"import os"}


def test_links_are_refused_and_nothing_outside_the_volume_is_touched(
    site: Site, unpacked: Path, volume: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (volume / REVISION).symlink_to(outside)
    with pytest.raises(BundleError, match="not a folder"):
        fill(site.lock.model, unpacked, volume)
    (volume / REVISION).unlink()
    (volume / REVISION).mkdir()
    (volume / REVISION / "config.json").symlink_to(outside / "config.json")
    with pytest.raises(BundleError, match=r"config\.json: not a regular file"):
        fill(site.lock.model, unpacked, volume)
    assert list(outside.iterdir()) == []


def test_a_volume_that_is_not_mounted_is_refused(
    site: Site, unpacked: Path, tmp_path: Path
) -> None:
    with pytest.raises(BundleError, match="Mount the volume there first"):
        fill(site.lock.model, unpacked, tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_full_volume_is_refused_before_anything_is_written(
    site: Site, unpacked: Path, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path, missing: int) -> None:
        assert folder == volume
        assert missing == sum(file.size for file in site.lock.model.files)
        msg = "no room"
        raise BundleError(msg)

    monkeypatch.setattr("breakeven.bundle.fill.require_room", full)
    with pytest.raises(BundleError, match="no room"):
        fill(site.lock.model, unpacked, volume)
    assert not (volume / REVISION).exists()


def test_a_volume_that_loses_bytes_is_not_believed(
    site: Site, unpacked: Path, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(path: Path) -> str:
        return "0" * 64 if path.name == "config.json" else sha256_of(path)

    monkeypatch.setattr("breakeven.bundle.fill.sha256_of", lost)
    with pytest.raises(BundleError, match=r"config\.json: the volume returned other bytes"):
        fill(site.lock.model, unpacked, volume)


def test_an_interrupted_fill_continues(site: Site, unpacked: Path, volume: Path) -> None:
    def stop(_size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(site.lock.model, unpacked, volume, stop)
    whole = {file.name: file.size for file in site.lock.model.files}
    for path in (volume / REVISION).iterdir():
        assert path.name.endswith(".partial") or path.stat().st_size == whole[path.name]
    fill(site.lock.model, unpacked, volume)
    for file in site.lock.model.files:
        assert sha256_of(volume / REVISION / file.name) == file.sha256
