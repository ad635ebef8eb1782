"""Whatever was done to a bundle on its way, it is refused, by name, and nothing of it is used."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.bundle.archive.manifest import Entry, Manifest, parse_manifest
from breakeven.bundle.archive.opening import check_bundle, open_base, open_bundle
from breakeven.bundle.archive.unpack import check_unpacked, unpack
from breakeven.bundle.delta import make_delta
from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import canonical_json
from breakeven.bundle.pack import Order
from tests.unit.bundle.builders import KEY, OTHER_KEY, PART_SIZE, Site, make_site


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = make_site(tmp_path_factory.mktemp("site"))
    site.pack()
    return site


@pytest.fixture
def bundle(packed: Site, tmp_path: Path) -> Path:
    """A copy that a test may tamper with."""
    return Path(shutil.copytree(packed.folder / "bundle", tmp_path / "bundle"))


def check(folder: Path) -> None:
    """What verify, unpack and load do first."""
    check_bundle(open_bundle(folder, KEY.public_key()), None)


def refused(folder: Path, naming: str) -> None:
    """Fails unless the bundle is refused by name, and unpacking it leaves no folder."""
    with pytest.raises(BundleError) as error:
        check(folder)
    assert naming in str(error.value)
    target = folder.parent / "unpacked"
    with pytest.raises(BundleError):
        unpack(open_bundle(folder, KEY.public_key()), None, target)
    assert not target.exists()


def sign_again(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    """Changes the manifest and signs it with the right key: an insider, or a bug."""
    value = json.loads((folder / "bundle.json").read_text())
    change(value)
    content = canonical_json(value)
    (folder / "bundle.json").write_bytes(content)
    (folder / "bundle.json.sig").write_bytes(KEY.sign(content))


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("bundle.tar.*"))


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def test_untouched_it_is_accepted(bundle: Path) -> None:
    check(bundle)


def test_a_changed_bit_anywhere_is_refused(bundle: Path) -> None:
    for part in parts(bundle):
        original = part.read_bytes()
        for position in range(0, len(original), 4099):
            flip(part, position)
            with pytest.raises(BundleError, match=r"bundle\.tar\.|differs from its signed"):
                check(bundle)
            part.write_bytes(original)
    check(bundle)


def test_a_change_in_each_file_is_refused_by_its_name(packed: Site, bundle: Path) -> None:
    manifest = open_bundle(bundle, KEY.public_key()).manifest
    offset = 0
    for entry in manifest.files:
        start = offset + len(entry.header)
        number, position = divmod(start, manifest.part_size)
        flip(parts(bundle)[number], position)
        refused(bundle, entry.path)
        flip(parts(bundle)[number], position)
        offset += entry.stored_size
    assert packed.lock.stack == manifest.stack


@pytest.mark.parametrize("name", ["bundle.json", "bundle.json.sig"])
def test_a_changed_manifest_or_signature_is_refused(bundle: Path, name: str) -> None:
    flip(bundle / name, 20)
    refused(bundle, "bundle.json: is not signed by key")


@pytest.mark.parametrize("name", ["bundle.json", "bundle.json.sig", "bundle.tar.0001"])
def test_a_missing_file_is_refused_by_its_name(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    refused(bundle, f"{name}: missing")


@pytest.mark.parametrize("name", ["bundle.tar.0000", "bundle.tar.0001"])
def test_a_cut_part_is_refused_by_its_name(bundle: Path, name: str) -> None:
    part = bundle / name
    part.write_bytes(part.read_bytes()[:-1])
    refused(bundle, name)


@pytest.mark.parametrize("name", ["bundle.json", "bundle.json.sig"])
def test_a_cut_manifest_or_signature_is_refused(bundle: Path, name: str) -> None:
    path = bundle / name
    path.write_bytes(path.read_bytes()[:-1])
    refused(bundle, "bundle.json: is not signed by key")


def test_a_longer_part_is_refused(bundle: Path) -> None:
    last = parts(bundle)[-1]
    last.write_bytes(last.read_bytes() + b"more")
    refused(bundle, last.name)


def test_swapped_parts_are_refused(bundle: Path) -> None:
    first, second = parts(bundle)[:2]
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)
    refused(bundle, "bundle.tar.0000")


def rewrite(folder: Path, change: Callable[[bytes], bytes]) -> None:
    """Changes the archive as a whole and cuts it into parts again."""
    sizes = [path.stat().st_size for path in parts(folder)]
    archive = change(b"".join(path.read_bytes() for path in parts(folder)))
    assert len(archive) == sum(sizes)
    for path, size in zip(parts(folder), sizes, strict=True):
        path.write_bytes(archive[:size])
        archive = archive[size:]


def test_files_in_another_order_are_refused(bundle: Path) -> None:
    first, second = list(open_bundle(bundle, KEY.public_key()).manifest.stored)[:2]

    def swap(archive: bytes) -> bytes:
        middle = first.stored_size
        end = middle + second.stored_size
        return archive[middle:end] + archive[:middle] + archive[end:]

    rewrite(bundle, swap)
    refused(bundle, first.path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_a_link_inside_the_archive_is_refused_before_anything_follows_it(
    bundle: Path, kind: bytes
) -> None:
    entry = next(open_bundle(bundle, KEY.public_key()).manifest.stored)
    link = tarfile.TarInfo(entry.path)
    link.type, link.linkname, link.size = kind, "/etc/passwd", entry.size
    header = link.tobuf(tarfile.USTAR_FORMAT)
    assert len(header) == len(entry.header)
    rewrite(bundle, lambda archive: header + archive[len(header) :])
    refused(bundle, entry.path)


def test_a_part_of_another_bundle_is_refused(bundle: Path, tmp_path: Path) -> None:
    other = make_site(tmp_path / "other", text="another program\n")
    other.pack()
    changed = [
        part
        for part in parts(bundle)
        if part.read_bytes() != (other.folder / "bundle" / part.name).read_bytes()
    ]
    for part in changed:
        shutil.copy(other.folder / "bundle" / part.name, part)
    refused(bundle, changed[0].name)


def test_an_extra_file_is_refused_by_its_name(bundle: Path) -> None:
    (bundle / "install.sh").write_text("rm -rf /")
    refused(bundle, "install.sh")


@pytest.mark.parametrize("name", ["bundle.json", "bundle.json.sig", "bundle.tar.0001"])
def test_a_link_is_refused_by_its_name(bundle: Path, tmp_path: Path, name: str) -> None:
    (bundle / name).rename(tmp_path / name)
    (bundle / name).symlink_to(tmp_path / name)
    refused(bundle, f"{name}: not a regular file")


def test_another_key_is_refused(bundle: Path) -> None:
    with pytest.raises(BundleError, match=r"bundle\.json: is not signed by key"):
        open_bundle(bundle, OTHER_KEY.public_key())


def test_a_bundle_with_another_signature_is_rejected(packed: Site) -> None:
    packed.pack("theirs", key=OTHER_KEY)
    refused(packed.folder / "theirs", "is not signed by key")


@pytest.mark.parametrize(
    "path",
    ["../evil", "/etc/passwd", "a/../../evil", "a//b", ".hidden", "a/./b", "a\\b", "", "a\n"],
)
def test_a_path_that_leaves_the_folder_is_refused_even_if_signed(bundle: Path, path: str) -> None:
    def escape(value: dict[str, object]) -> None:
        value["files"][0]["path"] = path  # type: ignore[index]  # JSON of the manifest

    sign_again(bundle, escape)
    with pytest.raises(BundleError, match="names"):
        check(bundle)


def test_files_below_files_twice_or_out_of_order_are_refused_even_if_signed() -> None:
    zeros = "0" * 64
    for paths in (("a", "a/b"), ("a", "a"), ("b", "a")):
        files = tuple(Entry(path, 0, zeros) for path in paths)
        manifest = Manifest("s", 1, zeros, zeros, 4096, "", files)
        with pytest.raises(BundleError, match=r'"a|"b'):
            parse_manifest(manifest.as_bytes(), "bundle.json")


def test_a_blob_under_another_digest_is_refused_even_if_signed(bundle: Path) -> None:
    def swap(value: dict[str, object]) -> None:
        blobs = [entry for entry in value["files"] if "/blobs/" in entry["path"]]  # type: ignore[attr-defined]  # JSON of the manifest
        first, second = blobs[:2]
        first["sha256"], second["sha256"] = second["sha256"], first["sha256"]

    sign_again(bundle, swap)
    with pytest.raises(BundleError, match="contains a blob with another digest"):
        check(bundle)


def test_unknown_fields_and_formats_are_refused_even_if_signed(bundle: Path) -> None:
    for change in ({"format": "breakeven-bundle/0"}, {"surprise": 1}, {"partSize": 1}):
        sign_again(bundle, lambda value, change=change: value.update(change))  # type: ignore[misc]  # the loop's value
        with pytest.raises(BundleError, match=r"bundle\.json"):
            check(bundle)


def test_a_file_that_became_executable_is_rejected(bundle: Path) -> None:
    def mark(value: dict[str, object]) -> None:
        entry = next(entry for entry in value["files"] if "program.py" in entry["path"])  # type: ignore[attr-defined]  # JSON of the manifest
        entry["executable"] = True

    sign_again(bundle, mark)
    refused(bundle, "program/components/program.py")


@pytest.fixture
def newer(packed: Site, tmp_path: Path) -> Path:
    """A delta on the bundle, with another program."""
    site = make_site(tmp_path / "newer", text="a newer program\n")
    base = open_bundle(packed.folder / "bundle", KEY.public_key())
    return make_delta(base, site.pack("whole"), Order(site.folder / "delta", KEY, PART_SIZE)).folder


def test_a_delta_holds_only_what_is_new_and_unpacks_with_its_base(
    packed: Site, newer: Path, tmp_path: Path
) -> None:
    delta = open_bundle(newer, KEY.public_key())
    stored = [entry.path for entry in delta.manifest.stored]
    assert "program/components/program.py" in stored
    assert not [path for path in stored if "/blobs/" in path]
    base = open_base(delta, packed.folder / "bundle", KEY.public_key())
    unpack(delta, base, tmp_path / "unpacked")
    assert (tmp_path / "unpacked/program/components/program.py").read_text() == "a newer program\n"
    check_unpacked(tmp_path / "unpacked", delta)


def test_a_delta_without_its_base_is_refused(newer: Path) -> None:
    delta = open_bundle(newer, KEY.public_key())
    with pytest.raises(BundleError, match="is a delta on bundle"):
        open_base(delta, None, KEY.public_key())


def test_a_delta_on_another_base_is_refused(newer: Path, tmp_path: Path) -> None:
    other = make_site(tmp_path / "other", value=2.0)
    other.pack()
    delta = open_bundle(newer, KEY.public_key())
    with pytest.raises(BundleError, match=r"but .* is a delta on"):
        open_base(delta, other.folder / "bundle", KEY.public_key())


def test_a_delta_on_a_damaged_base_is_refused_by_the_files_name(
    newer: Path, bundle: Path, tmp_path: Path
) -> None:
    delta = open_bundle(newer, KEY.public_key())
    base = open_base(delta, bundle, KEY.public_key())
    flip(parts(bundle)[1], 30_000)
    with pytest.raises(BundleError, match="differs from its signed checksum"):
        unpack(delta, base, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


def test_a_base_for_a_whole_bundle_is_refused(bundle: Path) -> None:
    with pytest.raises(BundleError, match="is a full bundle"):
        open_base(open_bundle(bundle, KEY.public_key()), bundle, KEY.public_key())


def test_what_was_changed_after_unpacking_is_refused_by_its_name(
    bundle: Path, tmp_path: Path
) -> None:
    opened = open_bundle(bundle, KEY.public_key())
    target = tmp_path / "unpacked"
    unpack(opened, None, target)
    check_unpacked(target, opened)
    program = target / "program/components/program.py"
    program.write_text("a Program\n")
    with pytest.raises(BundleError, match=r"program\.py: changed since"):
        check_unpacked(target, opened)
    program.unlink()
    program.symlink_to("/etc/hostname")
    with pytest.raises(BundleError, match=r"program\.py: changed since"):
        check_unpacked(target, opened)


def test_what_was_added_after_unpacking_is_refused_by_its_name(
    bundle: Path, tmp_path: Path
) -> None:
    opened = open_bundle(bundle, KEY.public_key())
    target = tmp_path / "unpacked"
    unpack(opened, None, target)
    added = target / "program" / "shutil.py"
    for leads_to in (None, "/etc/hostname", "/etc"):
        added.touch() if leads_to is None else added.symlink_to(leads_to)
        with pytest.raises(BundleError, match=r"are not in the bundle: program/shutil\.py"):
            check_unpacked(target, opened)
        added.unlink()
    check_unpacked(target, opened)
    (target / "program").rename(tmp_path / "elsewhere")
    (target / "program").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match=r"are not in the bundle: program\."):
        check_unpacked(target, opened)


def test_a_manifest_survives_reading_and_writing(packed: Site) -> None:
    manifest = open_bundle(packed.folder / "bundle", KEY.public_key()).manifest
    assert parse_manifest(manifest.as_bytes(), "bundle.json") == manifest
    assert replace(manifest, stack="another").digest != manifest.digest
