"""An older bundle, however validly signed, is not taken for a newer one unless that is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from breakeven.bundle.archive.manifest import Manifest
from breakeven.bundle.archive.signing import make_keys, read_private_key
from breakeven.bundle.errors import BundleError
from breakeven.bundle.lock import lock_of
from breakeven.bundle.log import append, read_log
from breakeven.bundle.releases import numbered, refuse_older, release_details
from tests.unit.bundle.builders import make_site
from tests.unit.cli.running import exit_code


def test_a_first_plan_has_the_first_release(tmp_path: Path) -> None:
    lock = make_site(tmp_path).lock
    assert numbered(lock, tmp_path / "on-prem.lock.json", None).release == 1


def test_the_same_plan_keeps_its_release_and_another_has_the_next(tmp_path: Path) -> None:
    path = tmp_path / "on-prem.lock.json"
    lock = replace(make_site(tmp_path / "one").lock, release=7)
    path.write_bytes(lock.as_bytes())
    assert numbered(replace(lock, release=1), path, None) == lock
    other = make_site(tmp_path / "two", text="another program\n").lock
    assert numbered(other, path, None).release == 8
    assert numbered(other, path, 12).release == 12


def test_an_earlier_lock_that_was_damaged_is_not_taken_for_none(tmp_path: Path) -> None:
    path = tmp_path / "on-prem.lock.json"
    path.write_text("{")
    lock = make_site(tmp_path / "one").lock
    with pytest.raises(BundleError, match="--release N"):
        numbered(lock, path, None)
    assert numbered(lock, path, 3).release == 3


def manifest(release: int, *, lock: str = "a" * 64, stack: str = "on-prem") -> Manifest:
    return Manifest(stack, release, lock, "0" * 64, 4096, "", ())


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A site where release 7 was loaded after 6, and 9 was only verified."""
    path = tmp_path / "log.jsonl"
    for action, release in (("load", 6), ("load", 7), ("verify", 9)):
        append(path, action, "bundle", "0" * 64, release_details(manifest(release)))
    append(path, "load", "b", "0" * 64, release_details(manifest(20, stack="other")))
    return path


@pytest.mark.parametrize("release", [7, 8, 30])
def test_the_same_and_newer_bundles_are_taken(log: Path, release: int) -> None:
    refuse_older(manifest(release), read_log(log), "bundle")


@pytest.mark.parametrize("release", [1, 6])
def test_an_older_bundle_is_refused_and_it_says_who_brought_the_newer(
    log: Path, release: int
) -> None:
    with pytest.raises(
        BundleError,
        match=rf"release {release} of stack on-prem, older than the release 7 that .*@.* installed",
    ):
        refuse_older(manifest(release), read_log(log), "bundle")


def test_another_bundle_under_a_number_that_was_used_is_refused(log: Path) -> None:
    with pytest.raises(BundleError, match="another bundle than the release 7"):
        refuse_older(manifest(7, lock="b" * 64), read_log(log), "bundle")


def test_releases_of_other_stacks_do_not_matter(log: Path) -> None:
    refuse_older(manifest(21, stack="other"), read_log(log), "bundle")
    refuse_older(manifest(1, stack="third"), read_log(log), "bundle")


def test_a_lock_that_is_not_the_manifests_own_is_refused(tmp_path: Path) -> None:
    site = make_site(tmp_path, release=3)
    named = site.pack().manifest
    content = site.lock.as_bytes()
    assert lock_of(named, content, "lock.json") == site.lock
    for other in (
        replace(named, release=4),
        replace(named, stack="dev"),
        replace(named, lock="0" * 64),
    ):
        with pytest.raises(BundleError, match="not the lock in"):
            lock_of(other, content, "lock.json")


@pytest.mark.parametrize("release", [0, -1, True, "7", 1.5, None])
def test_a_release_that_is_no_number_from_one_is_refused(tmp_path: Path, release: object) -> None:
    lock = replace(make_site(tmp_path).lock, release=release)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(BundleError, match="lock"):
        lock_of(manifest(1), lock.as_bytes(), "lock.json")


def test_unpacking_an_older_bundle_leaves_nothing_unless_it_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make_keys(Path("release.key"), Path("release.pub"))
    key = read_private_key(Path("release.key"))
    for release in (1, 2):
        site = make_site(tmp_path / str(release), text=f"program {release}\n", release=release)
        site.pack(str(tmp_path / f"bundle-{release}"), key=key)

    def unpack(release: int, to: str, *further: str) -> int:
        arguments = ("bundle", "unpack", f"bundle-{release}", "--key", "release.pub", "--to", to)
        return exit_code(monkeypatch, *arguments, *further)

    assert unpack(2, "newer") == 0
    assert unpack(1, "older") == 1
    assert "older than the release 2" in capsys.readouterr().err
    assert not Path("older").exists()
    assert not Path("older.unpacking").exists()
    assert unpack(1, "older", "--allow-older") == 0
    assert Path("older/program/components/program.py").read_text() == "program 1\n"
    assert unpack(2, "again") == 0
    actions = [
        (entry.action, entry.details["release"]) for entry in read_log(Path("bundle-log.jsonl"))
    ]
    assert actions == [("unpack", "2"), ("unpack", "1"), ("unpack", "2")]
