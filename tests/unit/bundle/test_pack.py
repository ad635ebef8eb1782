"""Packing: the same bytes every time, little memory, and it goes on where it was stopped."""

from __future__ import annotations

import json
import shutil
import subprocess
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.bundle.archive.archive import write_archive
from breakeven.bundle.archive.manifest import Entry, Manifest
from breakeven.bundle.archive.opening import Bundle, check_bundle, nothing, open_bundle
from breakeven.bundle.archive.unpack import unpack
from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import BLOCK, sha256_of
from breakeven.bundle.pack import Contents, Order, pack
from tests.unit.bundle.builders import KEY, PART_SIZE, Site, make_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_site(tmp_path)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_two_packs_of_one_lock_are_byte_identical(site: Site, tmp_path: Path) -> None:
    site.pack("one")
    elsewhere = make_site(tmp_path / "elsewhere")
    elsewhere.pack("two")
    assert contents(site.folder / "one") == contents(elsewhere.folder / "two")
    assert len(contents(site.folder / "one")) > 3  # several parts, manifest, signature


def test_what_is_unpacked_is_what_was_packed(site: Site, tmp_path: Path) -> None:
    packed = site.pack()
    check_bundle(open_bundle(packed.folder, KEY.public_key()), None)
    target = tmp_path / "unpacked"
    unpack(packed, None, target)
    run = target / "cache/programs/key/bin/run"
    assert subprocess.run([run], capture_output=True, text=True, check=True).stdout == "ran\n"
    for entry in packed.manifest.files:
        assert sha256_of(target / entry.path) == entry.sha256
    assert (target / "lock.json").read_bytes() == site.lock.as_bytes()


def test_standard_tools_read_and_check_the_archive(site: Site, tmp_path: Path) -> None:
    packed = site.pack()
    names = [str(packed.folder / name) for name, _ in packed.manifest.parts()]
    joined = tmp_path / "joined.tar"
    joined.write_bytes(b"".join(Path(name).read_bytes() for name in names))
    target = tmp_path / "by-tar"
    target.mkdir()
    subprocess.run(["tar", "-xf", joined, "-C", target], check=True)
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=target, check=True)


def test_the_layers_of_the_model_hold_its_files(site: Site, tmp_path: Path) -> None:
    packed = site.pack()
    target = tmp_path / "unpacked"
    unpack(packed, None, target)
    for file in site.lock.model.files:
        layer = target / "images" / "blobs" / "sha256" / file.layer.digest.removeprefix("sha256:")
        out = tmp_path / "layer"
        out.mkdir(exist_ok=True)
        subprocess.run(["tar", "-xf", layer, "-C", out], check=True)
        extracted = out / site.lock.model.revision / file.name
        assert sha256_of(extracted) == file.sha256


def test_an_interrupted_pack_continues_and_ends_with_the_same_bytes(
    site: Site, tmp_path: Path
) -> None:
    expected = contents(site.pack("whole").folder)
    folder = tmp_path / "stopped"
    stop_after = 60_000

    seen = 0

    def count(size: int) -> None:
        nonlocal seen
        seen += size
        if seen > stop_after:
            raise KeyboardInterrupt

    order = Order(folder, KEY, PART_SIZE)
    with pytest.raises(KeyboardInterrupt):
        pack(site.lock, site.contents(), order, count)
    finished = {path.name for path in folder.glob("bundle.tar.????")}
    assert finished  # at least one part was whole
    with pytest.raises(BundleError, match=r"bundle\.json\.sig: missing"):
        open_bundle(folder, KEY.public_key())
    pack(site.lock, site.contents(), order)
    assert contents(folder) == expected


def test_parts_damaged_while_packing_stopped_are_found_and_made_again(site: Site) -> None:
    packed = site.pack()
    part = packed.folder / "bundle.tar.0001"
    part.write_bytes(bytes(part.stat().st_size))
    (packed.folder / "bundle.json.sig").unlink()
    with pytest.raises(BundleError, match=r"bundle\.tar\.000"):
        site.pack()
    site.pack()
    check_bundle(open_bundle(packed.folder, KEY.public_key()), None)


@pytest.mark.parametrize("name", ["bundle.json", "bundle.json.sig"])
def test_what_a_kill_leaves_of_the_signed_list_does_not_stop_the_next_pack(
    site: Site, name: str
) -> None:
    folder = site.pack("begun").folder
    (folder / name).rename(folder / f".{name}.partial")
    if name == "bundle.json":
        for path in (*folder.glob("bundle.*"), folder / "unpack.py"):
            path.unlink()
    check_bundle(site.pack("begun"), None)
    assert not [path for path in folder.iterdir() if path.name.endswith(".partial")]


def test_a_folder_with_other_files_is_left_unchanged(site: Site) -> None:
    (site.folder / "bundle").mkdir()
    (site.folder / "bundle" / "mine.txt").write_text("precious")
    with pytest.raises(BundleError, match="not empty"):
        site.pack()
    assert (site.folder / "bundle" / "mine.txt").read_text() == "precious"


def test_a_file_changed_after_the_lock_is_refused_by_name(site: Site) -> None:
    config = site.model / "config.json"
    config.write_text(config.read_text().replace("Llama", "Lyama"))
    with pytest.raises(BundleError, match="changed while the bundle was written"):
        site.pack()


def test_other_files_than_locked_are_refused_by_name(site: Site) -> None:
    fewer = replace(site, origins=site.origins[:1])
    with pytest.raises(BundleError, match=r"gone: program/components/program\.py"):
        fewer.pack()


def test_a_full_disk_is_seen_before_anything_is_written(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(site.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=1000))
    with pytest.raises(BundleError, match="1,000 free"):
        site.pack()
    assert not list((site.folder / "bundle").glob("bundle.tar.*"))


def test_an_interrupted_unpack_continues(site: Site, tmp_path: Path) -> None:
    packed = site.pack()
    target = tmp_path / "unpacked"
    beside = tmp_path / "unpacked.unpacking"
    (beside / "program" / "components").mkdir(parents=True)
    (beside / "program" / "components" / "program.py").write_text("left half writ")
    (beside / "program" / "evil.py").write_text("foreign")
    (beside / "link").symlink_to("/etc/passwd")
    unpack(packed, None, target)
    assert not beside.exists()
    assert not (target / "program" / "evil.py").exists()
    assert not (target / "link").is_symlink()
    assert (target / "program" / "components" / "program.py").read_text() == "a program\n"


def test_memory_does_not_depend_on_the_size_of_a_file(tmp_path: Path) -> None:
    size = 300 * 1024 * 1024
    sparse = tmp_path / "weights"
    with sparse.open("wb") as stream:
        stream.truncate(size)
    entry = Entry("weights", size, sha256_of(sparse))
    manifest = Manifest("on-prem", 1, "0" * 64, "0" * 64, 64 * 1024 * 1024, "", (entry,))
    folder = tmp_path / "bundle"
    folder.mkdir()
    only = Contents((entry,), {}, {entry.path: sparse}, {}, "")
    tracemalloc.start()
    try:
        write_archive(folder, manifest, only.open, nothing)
        check_bundle(Bundle(folder, manifest, b""), None)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * BLOCK


def test_the_bill_of_materials_names_image_model_and_program(site: Site, tmp_path: Path) -> None:
    unpack(site.pack(), None, tmp_path / "unpacked")
    bill = json.loads((tmp_path / "unpacked" / "sbom.cdx.json").read_text())
    assert bill["specVersion"] == "1.6"
    kinds = {entry["type"]: entry for entry in bill["components"]}
    assert set(kinds) == {"container", "machine-learning-model", "application"}
    model = kinds["machine-learning-model"]
    assert model["version"] == site.lock.model.revision
    hashes = {part["name"]: part["hashes"][0]["content"] for part in model["components"]}
    assert hashes == {file.name: file.sha256 for file in site.lock.model.files}
    assert model["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    image = site.lock.images[0].reference
    assert kinds["container"]["hashes"][0]["content"] == image.digest.removeprefix("sha256:")
